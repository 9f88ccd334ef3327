package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rcvae/embed"
	"rcvae/embed/hub"
	"rcvae/embed/lm"
	"rcvae/embed/minilm"
)

func newEmbedders() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "embedders",
		Short: "List, get and verify the embedding models",
		Long: `List, get and verify the embedding models.

What --embedder takes:
  minilm, minilm-math    encoders in the binary
  math-lm+BASE           adapters in the binary over Qwen2.5-Coder-0.5B-Instruct: its
                         .gguf file, its folder, or its name on the hub
  FOLDER, FILE.gguf      a model's folder as Hugging Face writes it, or llama.cpp's file
  ORG/NAME[@REVISION]    a model in the hub cache, which 'embedders get' fills
  openai+URL?model=NAME  a server with OpenAI's /v1/embeddings (vLLM, LiteLLM, OpenAI)
  tei+URL                text-embeddings-inference
  llamacpp+URL           llama-server --embeddings
  ollama+URL?model=NAME  Ollama
  jina+URL?model=NAME    Jina's API
The key of a server comes from RCVAE_EMBED_KEY.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return usagef("say what to do: list, get or verify") },
	}
	cmd.AddCommand(newEmbeddersList(), newEmbeddersGet(), newEmbeddersVerify())
	return cmd
}

func newEmbeddersList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the embedding models in the binary and in the hub cache", Args: noArgs, RunE: runEmbeddersList}
	cmd.Flags().Bool("json", false, "print JSON")
	return cmd
}

func newEmbeddersGet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get ORG/NAME[@REVISION]",
		Short: "Get a model from a hub into the hub cache",
		Long: `Get a model from a Hugging Face hub into the cache that Python's client keeps:
configuration, tokenizer, pooling and safetensors weights, each checked against its hash.
An interrupted download continues when the command is run again. No other command opens
a connection to a hub.

HF_HOME or HF_HUB_CACHE name the cache, HF_TOKEN or its file in HF_HOME the token,
HF_ENDPOINT another hub; HF_HUB_OFFLINE=1 forbids connections.`,
		Example: "  rcvae embedders get BAAI/bge-small-en-v1.5\n  rcvae embedders get jinaai/jina-embeddings-v3 --accept-license cc-by-nc-4.0",
		Args:    oneEmbedder,
		RunE:    runEmbeddersGet,
	}
	cmd.Flags().String("accept-license", "", "`ID` of a licence that is not free for all uses and that you agree to, for example cc-by-nc-4.0")
	return cmd
}

func newEmbeddersVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [EMBEDDER]",
		Short: "Check weights against their hashes and embed known texts",
		Long: `Check weights against their hashes and embed known texts: of the encoders in the
binary without an argument, else of what it names. The vectors of the encoders in the
binary are compared with stored ones; those of others must be finite, of unit length and
of one dimension.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one embedder, got %d arguments", cmd.CommandPath(), len(args))
			}
			return nil
		},
		RunE: runEmbeddersVerify,
	}
	addEmbedderSettings(cmd)
	return cmd
}

func oneEmbedder(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s takes one ORG/NAME, got %d arguments", cmd.CommandPath(), len(args))
	}
	if _, err := hub.ParseName(args[0]); err != nil {
		return usageError{err}
	}
	return nil
}

// embedderInfo is one row of 'embedders list --json'.
type embedderInfo struct {
	Name        string `json:"name"`
	Dimension   int    `json:"dimension,omitempty"` // of built-in ones
	MaxTokens   int    `json:"max_tokens,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
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
	fp := lm.Fingerprint()
	infos = append(infos, embedderInfo{fp.Name, fp.Dimension, fp.MaxTokens, fp.ID(), "adapters for a file of " + lm.Base + ", see --embedder " + lmPrefix + "BASE", lm.License})
	cache, err := hub.FromEnvironment(os.Getenv)
	if err != nil {
		return err
	}
	for _, name := range cache.List() {
		infos = append(infos, embedderInfo{Name: name, Source: cache.Dir, License: licenseOf(name)})
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, infos)
	}
	for _, i := range infos {
		if i.Fingerprint == "" {
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n             in the hub cache %s (%s)\n", i.Name, i.Source, i.License)
			continue
		}
		where := "built in"
		if i.Name == lm.Name {
			where = "adapters built in"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%-12s %d dimensions, up to %d tokens, %s\n             %s (%s)\n             fingerprint %s\n",
			i.Name, i.Dimension, i.MaxTokens, where, i.Source, i.License, i.Fingerprint)
	}
	return nil
}

func runEmbeddersGet(cmd *cobra.Command, args []string) error {
	cache, err := hub.FromEnvironment(os.Getenv)
	if err != nil {
		return err
	}
	cache.AcceptLicense, _ = cmd.Flags().GetString("accept-license")
	bar, last := newProgress(cmd, "getting "+args[0], "kB"), 0
	cache.Progress = func(done, total int64) {
		last = int(done / 1000)
		bar.update(last, int(total/1000))
	}
	snapshot, err := cache.Get(cmd.Context(), args[0])
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("get %s: interrupted; run the same command to continue", args[0])
	}
	if err != nil {
		return err
	}
	bar.done(last)
	fmt.Fprintf(cmd.OutOrStdout(), "%s: revision %s, licence %s, %.1f MB in %s\nuse it with --embedder %s\n",
		args[0], snapshot.Commit, snapshot.License, float64(snapshot.Bytes)/1e6, snapshot.Folder, args[0])
	return nil
}

func runEmbeddersVerify(cmd *cobra.Command, args []string) error {
	for _, b := range builtinEmbedders() {
		if len(args) > 0 && args[0] != b.name {
			continue
		}
		e, err := b.open(b.options)
		if err != nil {
			return err
		}
		if err := e.Verify(); err != nil {
			return fmt.Errorf("verify %s: %w", b.name, err)
		}
		fmt.Fprintln(cmd.OutOrStdout(), b.name+": ok")
	}
	if len(args) == 0 || isBuiltin(args[0]) {
		return nil
	}
	return verifyEmbedder(cmd, args[0])
}

// verifyEmbedder checks an embedder that is not built in.
func verifyEmbedder(cmd *cobra.Command, name string) error {
	if isHubName(name) && !isFolder(name) {
		if folder, err := findInHub(name); err == nil { // else opening it says what to do
			if err := hub.Verify(folder); err != nil {
				return fmt.Errorf("verify %s: %w", name, err)
			}
		}
	}
	inner, err := newEmbedder(cmd.Context(), name, embedderSettings{}.withFlags(cmd))
	if err != nil {
		return err
	}
	o := &openedEmbedder{inner: inner}
	defer o.Close()
	if _, err := embed.Probe(cmd.Context(), inner); err != nil {
		return fmt.Errorf("verify %s: %w", name, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, %d dimensions, fingerprint %s\n", name, inner.Fingerprint().Dimension, inner.Fingerprint().ID())
	return nil
}

// printJSON writes v as indented JSON to standard output.
func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
