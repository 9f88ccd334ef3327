package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/embed/minilm"
	"rcvae/llm"
	"rcvae/reproduce"
)

func newReproduce() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reproduce",
		Short: "Repeat the paper's Table 1 on a language model",
		Long: `Repeat the protocol of the R-CVAE paper's Table 1: sample test questions of GSM8K and
MATH greedily (at temperature 0, and at 1 as the released code does), by top-k 32 and by
top-p 0.9, let the rules of the paper, of its released code and of this project choose
among the top-p samples, and grade the choices honestly and by strict match. The table
stands beside the paper's own figures, with intervals, and says where protocols differ.

The plan and an estimate of the time come first; --plan stops there. Samples, embeddings
and models are kept, so that the same command goes on after an interruption. OUT gets
samples and models, result.json, details.jsonl.gz, report.html, table.md and
protocol.json, which says what was run.

--problems names the training problems with reference solutions that the published rules
learn from, --train-pool graded samples of training questions for this project's rule
(without it: the built-in model). --from-pool takes samples that are there already, of
the samplers greedy, temperature, top_k and top_p.`,
		Example: `  rcvae reproduce --upstream http://127.0.0.1:8080/v1 --llm NAME --test gsm8k=gsm8k-test.jsonl --test math=math-test.jsonl --problems gsm8k-train.jsonl --problems math-train.jsonl --questions 200 --out table1
  rcvae reproduce --from-pool gsm8k=gsm8k-pool.jsonl.gz --llm NAME --problems gsm8k-train.jsonl --out table1`,
		Args: noArgs,
		RunE: runReproduce,
	}
	f := cmd.Flags()
	f.StringSlice("suite", reproduce.Suites(), "`NAMES` of the sets of test questions")
	f.StringArray("test", nil, "`SUITE=FILE` of test questions (repeatable)")
	f.StringArray("from-pool", nil, "`SUITE=POOL` of samples, instead of --test and --upstream (repeatable)")
	f.StringArray("problems", nil, "`FILE` of training problems with reference solutions, for the published rules (repeatable)")
	f.StringArray("train-pool", nil, "`FILE` of graded samples of training questions, for this project's rule (repeatable)")
	f.Int("questions", 0, "use `N` questions of each suite, chosen by --seed (0: all)")
	f.Int("train-questions", 0, "train on the first `N` questions of each file (0: all)")
	f.Int("epochs", 0, "passes over the training questions (0: each objective's default)")
	f.IntSlice("seeds", []int{1, 2, 3}, "seeds of the models")
	f.Int64("seed", 1, "seed of the subset, the samples and the bootstrap")
	f.String("gold", "whole", "reference answers of MATH in the strict rows: whole, or authors (cut at the first closing brace)")
	f.String("prompt", "chat", "chat, or authors: the same text without a chat template")
	f.Bool("plan", false, "print the plan and end")
	f.String("out", "", "`FOLDER` to write to (required)")
	f.Bool("json", false, "print the table as JSON")
	addProtocolSamplingFlags(cmd)
	addEmbedderFlags(cmd, minilm.NameMath)
	return cmd
}

// protocolTemplate is the prompt of the protocol.
const protocolTemplate = llm.QuestionMark + "\nPlease reason step by step, and put your final answer within \\boxed{}."

// addProtocolSamplingFlags adds the flags of sampling that the protocol leaves open.
func addProtocolSamplingFlags(cmd *cobra.Command) {
	o := llm.DefaultOptions("")
	f := cmd.Flags()
	f.String("upstream", "", "base `URL` of an OpenAI-compatible server; its key comes from "+upstreamKey)
	f.String("llm", "", "the server's `NAME` of the language model")
	f.IntP("k", "k", 16, "samples of top-k and of top-p per question")
	f.Int("max-tokens", llm.DefaultSettings("").MaxTokens, "longest solution")
	f.String("system", "", "system prompt")
	f.String("template", protocolTemplate, "`PROMPT` with {question} in it")
	f.Int("concurrency", o.Concurrency, "calls to the server at once")
	f.Duration("timeout", o.Timeout, "longest time of one call")
	f.Int("retries", o.Retries, "repetitions of a call that failed")
	f.Bool("keep-going", false, "leave out questions that the server refuses, arm by arm, and list them")
	addPatienceFlags(cmd, 5*time.Minute, 5*time.Minute, true)
}

// protocol is one run of the command: what the flags say, and what protocol.json holds.
type protocol struct {
	LLM       string              `json:"llm"`
	Embedder  string              `json:"embedder"`
	Suites    []string            `json:"suites"`
	Questions map[string][]string `json:"questions"` // ids by suite
	Arms      []reproduce.Arm     `json:"arms"`
	Pools     []string            `json:"pools,omitempty"` // of --from-pool, by name
	Problems  []string            `json:"problems,omitempty"`
	TrainPool []string            `json:"train_pool,omitempty"`
	Seeds     []uint64            `json:"seeds"`
	Seed      uint64              `json:"seed"`
	CutGold   bool                `json:"cut_gold"`
	Chat      bool                `json:"chat"`
	Command   string              `json:"command"`
	Commit    string              `json:"commit"`

	out       string
	problems  map[string][]rcvae.Problem  // of the subset, by suite
	all       map[string][]rcvae.Problem  // of the files
	pools     map[string][]rcvae.Question // of the subset; nil: they are drawn
	gold      []rcvae.Question
	trainPool []rcvae.Question
}

func runReproduce(cmd *cobra.Command, _ []string) error {
	p, err := newProtocol(cmd)
	if err != nil {
		return err
	}
	var upstream *llm.Upstream
	planOnly, _ := cmd.Flags().GetBool("plan")
	if p.pools == nil && !planOnly {
		if upstream, err = openUpstream(cmd, "timeout"); err != nil {
			return err
		}
	}
	plan := p.plan()
	if planOnly {
		return plan.Write(cmd.OutOrStdout())
	}
	if err := plan.Write(cmd.ErrOrStderr()); err != nil {
		return err
	}
	embedder, err := openEmbedder(cmd, minilm.NameMath) // before hours of sampling
	if err != nil {
		return err
	}
	defer embedder.Close()
	if embedder.embedder() == nil {
		return usagef("--embedder none: the published rules read embeddings; name an embedder")
	}
	if err := p.save(); err != nil {
		return err
	}
	if err := p.estimate(cmd, plan, upstream); err != nil {
		return err
	}
	sampled, err := p.samples(cmd, upstream)
	if err != nil {
		return err
	}
	return p.measure(cmd, embedder, sampled)
}

func newProtocol(cmd *cobra.Command) (*protocol, error) {
	f := cmd.Flags()
	p := &protocol{Command: commandLine(cmd), Commit: commit, all: map[string][]rcvae.Problem{}, problems: map[string][]rcvae.Problem{}, Questions: map[string][]string{}}
	if p.out, _ = f.GetString("out"); p.out == "" {
		return nil, usagef("--out is missing: name the folder to write to")
	}
	if p.LLM, _ = f.GetString("llm"); p.LLM == "" {
		return nil, usagef("--llm is missing: name the language model that the samples are of")
	}
	if p.Embedder, _ = f.GetString("embedder"); p.Embedder == "" {
		p.Embedder = minilm.NameMath
	}
	if err := p.switches(cmd); err != nil {
		return nil, err
	}
	if err := p.arms(cmd); err != nil {
		return nil, err
	}
	if err := p.testQuestions(cmd); err != nil {
		return nil, err
	}
	return p, p.training(cmd)
}

// switches reads the flags with few values.
func (p *protocol) switches(cmd *cobra.Command) error {
	f := cmd.Flags()
	p.Suites, _ = f.GetStringSlice("suite")
	for _, s := range p.Suites {
		if !slices.Contains(reproduce.Suites(), s) {
			return usagef("--suite %q: want some of %s", s, strings.Join(reproduce.Suites(), ", "))
		}
	}
	gold, _ := f.GetString("gold")
	prompt, _ := f.GetString("prompt")
	p.CutGold, p.Chat = gold == "authors", prompt == "chat"
	if !p.CutGold && gold != "whole" {
		return usagef("--gold is %q, want whole or authors", gold)
	}
	if !p.Chat && prompt != "authors" {
		return usagef("--prompt is %q, want chat or authors", prompt)
	}
	seed, _ := f.GetInt64("seed")
	p.Seed = uint64(max(seed, 0))
	seeds, _ := f.GetIntSlice("seeds")
	for _, s := range seeds {
		if seed < 0 || s < 0 {
			return usagef("a seed is negative, want at least 0")
		}
		p.Seeds = append(p.Seeds, uint64(s))
	}
	if len(p.Seeds) == 0 {
		return usagef("--seeds is empty: name one seed or more")
	}
	return nil
}

// arms reads how solutions are sampled.
func (p *protocol) arms(cmd *cobra.Command) error {
	f := cmd.Flags()
	k, err := candidateCount(cmd)
	if err != nil {
		return err
	}
	s := llm.DefaultSettings(p.LLM)
	s.Chat, s.Seed = p.Chat, int64(p.Seed) //nolint:gosec // it came from an int64
	s.System, _ = f.GetString("system")
	s.Template, _ = f.GetString("template")
	s.MaxTokens, _ = f.GetInt("max-tokens")
	if err := s.Validate(); err != nil {
		return usageError{err}
	}
	p.Arms = reproduce.Arms(s, k)
	return nil
}

// plan returns what is about to be done.
func (p *protocol) plan() reproduce.Plan {
	plan := reproduce.Plan{
		LLM: p.LLM, Embedder: p.Embedder, Arms: p.Arms, Gold: len(p.gold), Seeds: p.Seeds, Drawn: p.pools != nil,
		Suites: reproduce.PlanSuites(p.Suites, p.problems, p.all),
	}
	for _, q := range p.trainPool {
		plan.Pool += len(q.Candidates)
	}
	return plan
}

// save makes the folder and writes protocol.json.
func (p *protocol) save() error {
	for _, folder := range []string{p.out, filepath.Join(p.out, "samples"), filepath.Join(p.out, "models")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("make the output folder: %w", err)
		}
	}
	return writeJSONFile(filepath.Join(p.out, "protocol.json"), p)
}
