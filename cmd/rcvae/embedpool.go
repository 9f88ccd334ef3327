package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/embed"
	"rcvae/internal/scratch"
)

// shard is part number of count, from 1.
type shard struct{ number, count int }

// parseShard reads "I/N"; "" is the whole.
func parseShard(text string) (shard, error) {
	if text == "" {
		return shard{1, 1}, nil
	}
	first, second, _ := strings.Cut(text, "/")
	i, errI := strconv.Atoi(first)
	n, errN := strconv.Atoi(second)
	if errors.Join(errI, errN) != nil || i < 1 || i > n {
		return shard{}, usagef("--shard is %q, want a part and their number, for example 1/8", text)
	}
	return shard{i, n}, nil
}

// has reports whether a question belongs to the part. Its id alone decides, so that
// machines need not agree on anything else.
func (s shard) has(id string) bool {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[8:])%uint64(s.count) == uint64(s.number-1) // other bytes than rcvae.HeldOut reads
}

// embedPools fills the cache with the embeddings that train and eval will look for.
func embedPools(cmd *cobra.Command, pools []string) error {
	if cmd.Flags().Changed("in") || cmd.Flags().Changed("out") || cmd.Flags().Changed("role") {
		return usagef("--pool fills the cache and writes nothing else: leave out --in, --out and --role")
	}
	text, _ := cmd.Flags().GetString("shard")
	part, err := parseShard(text)
	if err != nil {
		return err
	}
	if path, _ := cmd.Flags().GetString("cache"); path == noCache {
		return usagef("--pool fills the cache, and --cache says that there is none")
	}
	if size := cmd.Flags().Lookup("cache-size"); !size.Changed {
		_ = size.Value.Set("0") // what is asked for must not be forgotten on the way; 0 is a number
	}
	space := scratch.New(scratch.InMemory)
	defer space.Close()
	questions, err := poolPart(cmd, pools, part, space)
	if err != nil {
		return err
	}
	embedder, err := openEmbedder(cmd, embedPoolDefault)
	if err != nil {
		return err
	}
	defer embedder.Close()
	if embedder.cache == nil || embedder.trouble != "" {
		return fmt.Errorf("embed: nothing would be kept: %s", embedder.trouble)
	}
	return fillCache(cmd, embedder, questions)
}

// poolPart returns the questions of a part of the pools.
func poolPart(cmd *cobra.Command, pools []string, part shard, space *scratch.Space) (all []rcvae.Question, err error) {
	for _, path := range pools {
		questions, err := readPool(path, 0, space)
		if err != nil {
			return nil, err
		}
		if questions, _, err = oneSampler(cmd, path, questions); err != nil {
			return nil, err
		}
		for _, q := range questions {
			if part.has(q.ID) {
				all = append(all, q)
			}
		}
	}
	return all, nil
}

func fillCache(cmd *cobra.Command, embedder *openedEmbedder, questions []rcvae.Question) error {
	finish, texts := embedder.progress(cmd, questions), 0
	for e, err := range embed.Each(cmd.Context(), embedder.embedder(), questions) {
		if errors.Is(err, context.Canceled) {
			return errors.New("embed: interrupted; what is done is in the cache, run the same command to continue")
		}
		if err != nil {
			return fmt.Errorf("embed %d questions: %w", len(questions), err)
		}
		texts += 1 + len(e.Solutions)
	}
	finish()
	if n := embedder.cache.Faults(); n > 0 {
		return fmt.Errorf("embed: the cache could not be used %d times and lacks texts: %s", n, embedder.cache.Trouble())
	}
	fmt.Fprintf(cmd.OutOrStdout(), "the embeddings of %d questions, %d texts, are in the cache\n", len(questions), texts)
	return nil
}
