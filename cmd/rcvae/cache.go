package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"rcvae/embed"
)

func newCache() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Look into embedding caches, and merge them",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return usagef("name what to do: info or merge") },
	}
	cmd.AddCommand(newCacheInfo(), newCacheMerge())
	return cmd
}

func newCacheInfo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info FILE...",
		Short: "Say what embedding caches hold",
		Long: `Say of how many texts a cache holds the embeddings, by embedder, and how many of its
rows are damaged, which are embedded again when they are asked for. Everything is read.`,
		Example: "  rcvae cache info part1.sqlite",
		Args:    somePaths,
		RunE:    runCacheInfo,
	}
	cmd.Flags().Bool("json", false, "print JSON")
	return cmd
}

func runCacheInfo(cmd *cobra.Command, paths []string) error {
	var infos []embed.CacheInfo
	for _, path := range paths {
		info, err := embed.ReadCacheInfo(cmd.Context(), path)
		if err != nil {
			return err
		}
		infos = append(infos, info)
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, infos)
	}
	for _, info := range infos {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", info.File, info.Bytes)
		for _, e := range info.Embedders {
			fmt.Fprintf(cmd.OutOrStdout(), "  embedder %.12s: %d texts of %d dimensions in %d bytes, %d damaged\n", e.Fingerprint, e.Texts, e.Dimension, e.Bytes, e.Damaged)
		}
	}
	return nil
}

func newCacheMerge() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge --out FILE CACHE...",
		Short: "Copy embedding caches into one",
		Long: `Copy what the caches hold into the one at --out, which is made if it does not exist:
what several machines embedded with 'rcvae embed --shard' becomes the cache that one would
have written. Damaged rows are left out. The same command again goes on after an
interruption.`,
		Example: "  rcvae cache merge --out all.sqlite part1.sqlite part2.sqlite",
		Args:    somePaths,
		RunE:    runCacheMerge,
	}
	cmd.Flags().String("out", "", "`FILE` to copy into (required)")
	cmd.Flags().Bool("json", false, "print JSON")
	return cmd
}

func runCacheMerge(cmd *cobra.Command, paths []string) error {
	out, _ := cmd.Flags().GetString("out")
	if out == "" {
		return usagef("--out is missing: name the cache to copy into")
	}
	if slices.ContainsFunc(paths, func(p string) bool { return filepath.Clean(p) == filepath.Clean(out) }) {
		return usagef("--out %s is one of the caches to copy from: name another", out)
	}
	merged, err := embed.MergeCaches(cmd.Context(), out, paths...)
	if err != nil {
		return err
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, merged)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d embeddings added, %d were there; %d differ from what was there, which stays; %d damaged ones left out\n",
		out, merged.Added, merged.Known, merged.Differing, merged.Damaged)
	return nil
}
