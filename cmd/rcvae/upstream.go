package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rcvae/llm"
)

// upstreamKey is the environment variable with the key of the language model's
// server. Keys come from the environment alone: command lines are seen by others.
const upstreamKey = "RCVAE_UPSTREAM_KEY"

// addSamplingFlags adds the flags of commands that draw candidates from a server.
func addSamplingFlags(cmd *cobra.Command, k int) {
	s, o := llm.DefaultSettings(""), llm.DefaultOptions("")
	f := cmd.Flags()
	f.String("upstream", "", "base `URL` of an OpenAI-compatible server, for example http://127.0.0.1:8080/v1; its key comes from "+upstreamKey)
	f.String("llm", "", "the server's `NAME` of the language model")
	f.IntP("k", "k", k, "candidates to draw")
	f.Float64("temperature", s.Temperature, "sampling temperature")
	f.Float64("top-p", s.TopP, "draw from the likeliest tokens with this probability together (1: all)")
	f.Int("top-k", s.TopK, "draw from the `N` likeliest tokens (0: all)")
	f.Float64("min-p", s.MinP, "draw from tokens with at least this part of the likeliest one's probability (0: all)")
	f.Int("max-tokens", s.MaxTokens, "longest solution")
	f.StringArray("stop", nil, "`TEXT` that ends a solution (repeatable)")
	f.String("system", s.System, "system prompt")
	f.String("template", s.Template, "`PROMPT` with {question} in it, or @FILE with one")
	f.Bool("raw", false, "raw completions instead of chats")
	f.Bool("logprobs", s.LogProbs, "ask for log-probabilities")
	f.Int("concurrency", o.Concurrency, "calls to the server at once")
	f.Duration("timeout", o.Timeout, "longest time of one call")
	f.Int("retries", o.Retries, "repetitions of a call that failed")
}

// openSampler returns the sampler that the flags describe. The seed is that of a
// question's first candidate.
func openSampler(cmd *cobra.Command, seed int64) (*llm.Sampler, error) {
	upstream, err := openUpstream(cmd, "timeout")
	if err != nil {
		return nil, err
	}
	settings, err := samplingSettings(cmd)
	if err != nil {
		return nil, err
	}
	settings.Seed = seed
	sampler, err := llm.NewSampler(upstream, settings)
	if err != nil {
		return nil, usageError{err}
	}
	return sampler, nil
}

// openUpstream returns the server that the flags name; timeout names the flag with the
// longest time of a call.
func openUpstream(cmd *cobra.Command, timeout string) (*llm.Upstream, error) {
	f := cmd.Flags()
	url, _ := f.GetString("upstream")
	if url == "" {
		return nil, usagef("--upstream is missing: give the base URL of an OpenAI-compatible server, for example http://127.0.0.1:8080/v1")
	}
	options := llm.DefaultOptions(url)
	options.Key = os.Getenv(upstreamKey)
	options.Concurrency, _ = f.GetInt("concurrency")
	options.Timeout, _ = f.GetDuration(timeout)
	options.Retries, _ = f.GetInt("retries")
	patience(cmd, &options)
	upstream, err := llm.New(options)
	if err != nil {
		return nil, usageError{err}
	}
	return upstream, nil
}

func samplingSettings(cmd *cobra.Command) (llm.Settings, error) {
	f := cmd.Flags()
	name, _ := f.GetString("llm")
	if name == "" {
		return llm.Settings{}, usagef("--llm is missing: give the server's name of the model; GET /v1/models lists them")
	}
	s := llm.DefaultSettings(name)
	raw, _ := f.GetBool("raw")
	s.Chat = !raw
	s.System, _ = f.GetString("system")
	s.Template, _ = f.GetString("template")
	s.Temperature, _ = f.GetFloat64("temperature")
	s.TopP, _ = f.GetFloat64("top-p")
	s.TopK, _ = f.GetInt("top-k")
	s.MinP, _ = f.GetFloat64("min-p")
	s.MaxTokens, _ = f.GetInt("max-tokens")
	s.Stop, _ = f.GetStringArray("stop")
	s.LogProbs, _ = f.GetBool("logprobs")
	if path, ok := strings.CutPrefix(s.Template, "@"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			return s, usagef("--template: %w", err)
		}
		s.Template = string(text)
	}
	omitFields(cmd, &s)
	return s, nil
}

// candidateCount returns --k.
func candidateCount(cmd *cobra.Command) (int, error) {
	k, _ := cmd.Flags().GetInt("k")
	if k < 1 || k > maxDrawn {
		return 0, usagef("-k is %d, want 1 to %d", k, maxDrawn)
	}
	return k, nil
}

// maxDrawn bounds the candidates of one question: more is a mistyped number.
const maxDrawn = 4096
