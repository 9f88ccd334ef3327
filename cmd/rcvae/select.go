package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rcvae"
	"rcvae/bestof"
	"rcvae/dataset"
	"rcvae/grade"
	"rcvae/selector"
	"rcvae/signal"
)

func newSelect() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "select",
		Short: "Pick the best of several solutions of one question",
		Long: `Pick the best of several solutions of one question. The candidates come from a file:
one a line, as text, as a JSON string, or as a JSON object with at least "text" (the
fields of a pool's candidates are understood); or a JSON array of those. Answers are extracted where the file has none.
With --upstream, k candidates are drawn from a language model's server instead.

Rules (--selector):
` + ruleHelp(),
		Example: `  rcvae select --model model.rcvae --question 'What is 2+3?' --candidates candidates.jsonl
  rcvae select --model model.rcvae --question 'What is 2+3?' --upstream http://127.0.0.1:8080/v1 --llm qwen2.5-0.5b -k 8`,
		Args: noArgs,
		RunE: runSelect,
	}
	f := cmd.Flags()
	f.String("question", "", "the question's text")
	f.String("candidates", "-", "`FILE` of candidates, - for standard input")
	addSelectorFlag(f, "selection `RULE`")
	addAnswerGrader(f)
	f.Bool("explain", false, "show the equations of each candidate that are wrong, and what they should be")
	addTauFlag(f)
	f.Uint64("seed", 1, "seed of drawing, and of the rule random")
	f.Bool("json", false, "print JSON")
	addModelFlag(cmd)
	addModelEmbedderFlags(cmd)
	addSamplingFlags(cmd, 8)
	return cmd
}

func addSelectorFlag(f *pflag.FlagSet, usage string) {
	f.String("selector", "", usage+" (default: "+selector.Default+" with a model, "+selector.DefaultWithoutModel+" without)")
}

// chosenRule returns the rule of --selector, or the default for the models of --model.
func chosenRule(cmd *cobra.Command) (selector.Rule, error) {
	name, _ := cmd.Flags().GetString("selector")
	if name == "" {
		models, err := modelPaths(cmd)
		if err != nil {
			return selector.Rule{}, err
		}
		if name = selector.Default; len(models) == 0 {
			name = selector.DefaultWithoutModel
		}
	}
	rule, err := selector.Parse(name)
	if err != nil {
		return rule, usageError{err}
	}
	return rule, nil
}

// addTauFlag adds --tau; see tauFlag.
func addTauFlag(f *pflag.FlagSet) {
	f.Float64("tau", -1, "temperature of weighted votes, 0 for a majority vote (negative: the model's own)")
}

// tauFlag returns --tau, or nil when the models' own is to be used.
func tauFlag(cmd *cobra.Command) *float64 {
	tau, _ := cmd.Flags().GetFloat64("tau")
	if tau < 0 {
		return nil
	}
	return &tau
}

// ruleHelp lists the selection rules for help texts; votes and tie-breaks are
// described once.
func ruleHelp() string {
	var b strings.Builder
	for _, r := range selector.Rules() {
		if !strings.Contains(r.Name(), ":") {
			fmt.Fprintf(&b, "  %-18s %s\n", r.Name(), r.About())
		}
	}
	fmt.Fprintf(&b, "  %-18s %s\n", "vote:SCORE", "vote of the answers, weighted by exp(tau * score)")
	fmt.Fprintf(&b, "  %-18s %s", "tiebreak:SCORE", "most frequent answer, ties broken by the score")
	return b.String()
}

func runSelect(cmd *cobra.Command, _ []string) error {
	question, _ := cmd.Flags().GetString("question")
	kind, _ := cmd.Flags().GetString("grader")
	if question == "" {
		return usagef("--question is missing: give the question's text")
	}
	grader, err := grade.New(kind)
	if err != nil {
		return usageError{err}
	}
	rule, err := chosenRule(cmd)
	if err != nil {
		return err
	}
	sources, embedder, err := openSources(cmd, rule.Needs())
	if err != nil {
		return err
	}
	defer embedder.Close()
	sources.Grader = grader
	seed, _ := cmd.Flags().GetUint64("seed")
	chooser, err := selector.New(rule, sources, selector.Options{Tau: tauFlag(cmd), Seed: seed})
	if err != nil {
		return err
	}
	upstream, _ := cmd.Flags().GetString("upstream")
	if upstream != "" && cmd.Flags().Changed("candidates") {
		return usagef("give --candidates to read them or --upstream to draw them, not both")
	}
	var candidates []rcvae.Candidate
	var selection rcvae.Selection
	if upstream != "" {
		candidates, selection, err = selectDrawn(cmd, question, kind, bestof.Rule{Name: rule.Name(), Selector: chooser, Decided: rule.Decided})
	} else {
		candidates, selection, err = selectRead(cmd, question, kind, chooser)
	}
	if err != nil {
		return err
	}
	return printSelection(cmd, candidates, selection)
}

// selectRead reads the candidates of a file and chooses.
func selectRead(cmd *cobra.Command, question, kind string, chooser rcvae.Selector) (candidates []rcvae.Candidate, s rcvae.Selection, err error) {
	path, _ := cmd.Flags().GetString("candidates")
	if candidates, err = readCandidates(cmd.InOrStdin(), path, kind); err != nil {
		return nil, s, err
	}
	s, err = chooser.Select(cmd.Context(), question, candidates)
	return candidates, s, err
}

// selectDrawn lets the engine of the gateway draw the candidates and choose. What was
// drawn is shown even if the rule has no choice.
func selectDrawn(cmd *cobra.Command, question, kind string, rule bestof.Rule) (candidates []rcvae.Candidate, s rcvae.Selection, err error) {
	k, err := candidateCount(cmd)
	if err != nil {
		return nil, s, err
	}
	seed, _ := cmd.Flags().GetUint64("seed")
	sampler, err := openSampler(cmd, int64(seed&math.MaxInt64))
	if err != nil {
		return nil, s, err
	}
	engine := bestof.Engine{Extract: extractor(kind)}
	result, err := engine.Run(cmd.Context(), bestof.Request{Question: question, K: k, Rule: rule, Sampler: bestof.Solutions(sampler, question)})
	if err != nil {
		return nil, s, err
	}
	s = rcvae.Selection{Index: result.Chosen, Scores: result.Scores, Rule: result.Rule, Reason: result.Reason, Warnings: result.Warnings}
	if result.Err != nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d of %d candidates came back: %v", len(result.Candidates), k, result.Err))
	}
	if result.Fallback != "" {
		s.Warnings = append(s.Warnings, "nothing was selected: "+result.Fallback)
	}
	for _, c := range result.Candidates {
		candidates = append(candidates, c.Candidate)
	}
	return candidates, s, nil
}

// readCandidates reads one candidate a line and extracts missing answers.
func readCandidates(stdin io.Reader, path, kind string) ([]rcvae.Candidate, error) {
	texts, err := readLines(stdin, path)
	if err != nil {
		return nil, err
	}
	if list := elementsOf(strings.Join(texts, "\n")); list != nil {
		texts = list
	}
	if !slices.ContainsFunc(texts, func(s string) bool { return strings.TrimSpace(s) != "" }) {
		return nil, fmt.Errorf("%s has no candidate: all of its lines are blank", path)
	}
	candidates := make([]rcvae.Candidate, len(texts))
	for i, line := range texts {
		c, err := parseCandidate(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		if c.Answer == "" {
			if err := extractAnswer(&c, kind); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
			}
		}
		candidates[i] = c
	}
	return candidates, nil
}

func extractAnswer(c *rcvae.Candidate, kind string) error {
	extraction, err := grade.Extract(kind, c.Text)
	if err != nil {
		return err
	}
	c.Answer, c.AnswerFrom = extraction.Answer, extraction.From
	return nil
}

// parseCandidate reads a line: an object as in a pool, a JSON string, or plain text.
func parseCandidate(line string) (rcvae.Candidate, error) {
	if !strings.HasPrefix(line, "{") {
		text, err := textOfLine(line)
		return rcvae.Candidate{Text: text}, err
	}
	return dataset.ParseCandidate([]byte(line))
}

// elementsOf returns the elements of a JSON array of strings or objects, as lines of
// candidates; nil for another text. An array of numbers may be an answer.
func elementsOf(text string) []string {
	var list []json.RawMessage
	if !strings.HasPrefix(text, "[") || json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	var lines []string
	for _, x := range list {
		if x[0] != '"' && x[0] != '{' {
			return nil
		}
		lines = append(lines, string(x))
	}
	return lines
}

// choice is the output of 'select --json'.
type choice struct {
	Index     int                 `json:"index"` // from 0
	Text      string              `json:"text"`
	Answer    string              `json:"answer,omitempty"`
	Selector  string              `json:"selector"`
	Reason    string              `json:"reason"`
	Scores    []*float64          `json:"scores"` // null: none
	Answers   []string            `json:"answers"`
	Warnings  []string            `json:"warnings,omitempty"`
	Equations [][]signal.Equation `json:"equations,omitempty"` // with --explain: of each candidate, in the order of its text
}

// printSelection prints the choice, with --explain the equations of all candidates too.
func printSelection(cmd *cobra.Command, candidates []rcvae.Candidate, s rcvae.Selection) error {
	asJSON, _ := cmd.Flags().GetBool("json")
	explain, _ := cmd.Flags().GetBool("explain")
	if !asJSON {
		err := printChoice(cmd, candidates, s)
		if err == nil && explain {
			explainEquations(cmd.ErrOrStderr(), candidates)
		}
		return err
	}
	chosen := candidates[s.Index]
	out := choice{Index: s.Index, Text: chosen.Text, Answer: chosen.Answer, Selector: s.Rule, Reason: s.Reason, Warnings: s.Warnings}
	for _, score := range s.Scores {
		if math.IsNaN(score) {
			out.Scores = append(out.Scores, nil)
		} else {
			out.Scores = append(out.Scores, &score)
		}
	}
	for _, c := range candidates {
		out.Answers = append(out.Answers, c.Answer)
		if explain {
			out.Equations = append(out.Equations, slices.Concat([]signal.Equation{}, signal.Equations(c.Text)))
		}
	}
	return printJSON(cmd, out)
}

// printChoice prints the chosen text, and a table of all candidates for people.
func printChoice(cmd *cobra.Command, candidates []rcvae.Candidate, s rcvae.Selection) error {
	fmt.Fprintln(cmd.OutOrStdout(), candidates[s.Index].Text)
	table := tabwriter.NewWriter(cmd.ErrOrStderr(), 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\t#\tscore\tanswer\t\n")
	for i, c := range candidates {
		mark, answer := "", c.Answer
		if i == s.Index {
			mark = "chosen"
		}
		if answer == "" {
			answer = "(none)"
		}
		score := "-"
		if i < len(s.Scores) && !math.IsNaN(s.Scores[i]) {
			score = fmt.Sprintf("%.4f", s.Scores[i])
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t\n", mark, i+1, score, answer)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", s.Rule, s.Reason)
	for _, w := range s.Warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", w)
	}
	return nil
}
