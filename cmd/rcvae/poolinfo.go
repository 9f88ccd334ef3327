package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/dataset"
)

func newPoolInfo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "info POOL...",
		Short: "Say what is in a pool",
		Long: `Count the questions, candidates, verdicts, answers and samplers of pools, and say what
is missing and which questions stand under several ids. Everything is read, so that a
damaged record is found. --check compares the file with the checksum beside it
(POOL.sha256, which this program writes) and a Parquet file with those of its pages.`,
		Example: `  rcvae pool info --check pool.jsonl.gz`,
		Args:    somePaths,
		RunE:    runPoolInfo,
	}
	cmd.Flags().Bool("check", false, "compare the bytes with the checksums beside and inside the file")
	cmd.Flags().Bool("json", false, "print JSON")
	return cmd
}

// poolInfo is what info says of one pool.
type poolInfo struct {
	Pool       string                 `json:"pool"`
	Questions  int                    `json:"questions"`
	Answers    int                    `json:"reference_answers"`
	Candidates int                    `json:"candidates"`
	PerMin     int                    `json:"candidates_per_question_min"`
	PerMax     int                    `json:"candidates_per_question_max"`
	Correct    int                    `json:"correct"`
	Incorrect  int                    `json:"incorrect"`
	Ungraded   int                    `json:"ungraded"`
	Mixed      int                    `json:"questions_with_correct_and_incorrect"`
	NoAnswer   int                    `json:"no_answer"` // one was looked for
	Unread     int                    `json:"answer_missing"`
	LogProbs   int                    `json:"with_log_probabilities"`
	Samplers   []dataset.SamplerCount `json:"samplers"`
	Models     []string               `json:"models"`
	Doubled    string                 `json:"doubled,omitempty"`
	Check      *dataset.Integrity     `json:"check,omitempty"`
}

func runPoolInfo(cmd *cobra.Command, paths []string) error {
	check, _ := cmd.Flags().GetBool("check")
	var infos []poolInfo
	var all []rcvae.Question
	for _, path := range paths {
		questions, err := dataset.LoadPool(path)
		if err != nil {
			return err
		}
		info := poolInfoOf(path, questions)
		if check {
			found, err := dataset.CheckFile(path)
			if err != nil {
				return err
			}
			info.Check = &found
		}
		infos, all = append(infos, info), append(all, questions...)
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, infos)
	}
	for _, info := range infos {
		info.write(cmd.OutOrStdout())
	}
	if len(paths) > 1 {
		if doubled := dataset.FindDoubled(all).String(); doubled != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "together: %s\n", doubled)
		}
	}
	return nil
}

func poolInfoOf(path string, questions []rcvae.Question) poolInfo {
	info := poolInfo{Pool: path, Questions: len(questions), PerMin: len(questions[0].Candidates), Samplers: dataset.Samplers(questions), Doubled: dataset.FindDoubled(questions).String()}
	for _, q := range questions {
		n := len(q.Candidates)
		info.Candidates, info.PerMin, info.PerMax = info.Candidates+n, min(info.PerMin, n), max(info.PerMax, n)
		info.Correct += q.Count(rcvae.Correct)
		info.Incorrect += q.Count(rcvae.Incorrect)
		info.Ungraded += q.Count(rcvae.Ungraded)
		if q.Answer != "" {
			info.Answers++
		}
		if q.Count(rcvae.Correct) > 0 && q.Count(rcvae.Incorrect) > 0 {
			info.Mixed++
		}
		for _, c := range q.Candidates {
			info.count(c)
		}
	}
	return info
}

func (info *poolInfo) count(c rcvae.Candidate) {
	switch {
	case c.Answer != "":
	case c.AnswerFrom == dataset.NoAnswer:
		info.NoAnswer++
	default:
		info.Unread++
	}
	if c.LogProb != nil {
		info.LogProbs++
	}
	if c.Model != "" && !slices.Contains(info.Models, c.Model) {
		info.Models = append(info.Models, c.Model)
	}
}

// write says it for people.
func (info *poolInfo) write(w io.Writer) {
	fmt.Fprintf(w, "%s\n  questions   %d, %d with a reference answer, %d with correct and incorrect candidates\n", info.Pool, info.Questions, info.Answers, info.Mixed)
	fmt.Fprintf(w, "  candidates  %d, %d to %d per question\n", info.Candidates, info.PerMin, info.PerMax)
	fmt.Fprintf(w, "  verdicts    %d correct, %d incorrect, %d not graded\n", info.Correct, info.Incorrect, info.Ungraded)
	fmt.Fprintf(w, "  answers     %d, %d without one, %d not looked for\n", info.Candidates-info.NoAnswer-info.Unread, info.NoAnswer, info.Unread)
	if info.LogProbs > 0 {
		fmt.Fprintf(w, "  log-probs   %d\n", info.LogProbs)
	}
	if len(info.Samplers) > 1 || len(info.Samplers) == 1 && info.Samplers[0].Name != "" {
		fmt.Fprintf(w, "  samplers    %s\n", samplerNames(info.Samplers))
	}
	if len(info.Models) > 0 {
		fmt.Fprintf(w, "  models      %s\n", strings.Join(info.Models, ", "))
	}
	if info.Doubled != "" {
		fmt.Fprintf(w, "  doubled     %s\n", info.Doubled)
	}
	if info.Check != nil {
		fmt.Fprintf(w, "  checksums   %s\n", checkText(*info.Check))
	}
}

func checkText(found dataset.Integrity) string {
	var parts []string
	if found.Checksum {
		parts = append(parts, "the file matches the checksum beside it")
	}
	if found.Pages > 0 {
		parts = append(parts, fmt.Sprintf("%d pages match theirs", found.Pages))
	}
	if parts == nil {
		return "none; a change of the file cannot be told"
	}
	return strings.Join(parts, ", ")
}
