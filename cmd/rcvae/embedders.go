package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"rcvae/embed/minilm"
)

func newEmbedders() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "embedders",
		Short: "List and verify the embedding models",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return usagef("say what to do: list or verify") },
	}
	list := &cobra.Command{Use: "list", Short: "List the embedding models", Args: noArgs, RunE: runEmbeddersList}
	list.Flags().Bool("json", false, "print JSON")
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Check the weights against their hash and embed a known text",
		Args:  noArgs,
		RunE:  runEmbeddersVerify,
	}
	cmd.AddCommand(list, verify)
	return cmd
}

// embedderInfo is one row of 'embedders list --json'.
type embedderInfo struct {
	Name        string `json:"name"`
	Dimension   int    `json:"dimension"`
	MaxTokens   int    `json:"max_tokens"`
	Fingerprint string `json:"fingerprint"`
	Source      string `json:"source"`
	License     string `json:"license"`
}

func runEmbeddersList(cmd *cobra.Command, _ []string) error {
	var infos []embedderInfo
	for _, b := range builtinEmbedders() {
		fp, err := minilm.FingerprintOf(b.name, b.options)
		if err != nil {
			return err
		}
		infos = append(infos, embedderInfo{fp.Name, fp.Dimension, fp.MaxTokens, fp.ID(), b.source, b.license})
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, infos)
	}
	for _, i := range infos {
		fmt.Fprintf(cmd.OutOrStdout(), "%-12s %d dimensions, up to %d tokens, built in\n             %s (%s)\n             fingerprint %s\n",
			i.Name, i.Dimension, i.MaxTokens, i.Source, i.License, i.Fingerprint)
	}
	return nil
}

func runEmbeddersVerify(cmd *cobra.Command, _ []string) error {
	for _, b := range builtinEmbedders() {
		e, err := b.open(b.options)
		if err != nil {
			return err
		}
		if err := e.Verify(); err != nil {
			return fmt.Errorf("verify %s: %w", b.name, err)
		}
		fmt.Fprintln(cmd.OutOrStdout(), b.name+": ok")
	}
	return nil
}

// printJSON writes v as indented JSON to standard output.
func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
