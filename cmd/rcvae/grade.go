package main

import (
	"bufio"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"rcvae/grade"
)

func newGrade() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "grade",
		Short: "Tell whether an answer is right",
		Long: `Compare an answer, or a whole solution, with the gold answer. Without --gold and
--answer, read JSON Lines from standard input,

  {"kind": "gsm8k"|"gsm8k-strict"|"math", "gold": TEXT, "answer": TEXT}

and print a verdict a line: correct, incorrect, no_answer (none was found) or
ungraded (could not be decided). A line's kind overrides --kind.`,
		Example: `  rcvae grade --kind math --gold '\frac12' --answer 'So it is $\boxed{0.5}$.'`,
		Args:    noArgs,
		RunE:    runGrade,
	}
	cmd.Flags().String("kind", "gsm8k", "`KIND` of answers: gsm8k, gsm8k-strict or math")
	cmd.Flags().String("gold", "", "the reference answer or solution")
	cmd.Flags().String("answer", "", "the answer or solution to grade")
	return cmd
}

func runGrade(cmd *cobra.Command, _ []string) error {
	kind, _ := cmd.Flags().GetString("kind")
	gold, _ := cmd.Flags().GetString("gold")
	answer, _ := cmd.Flags().GetString("answer")
	if _, err := grade.New(kind); err != nil {
		return usageError{err}
	}
	if cmd.Flags().Changed("gold") != cmd.Flags().Changed("answer") {
		return usagef("give both --gold and --answer, or neither and JSON Lines on standard input")
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	if cmd.Flags().Changed("gold") {
		verdict, err := grade.Judge(kind, gold, answer)
		if err != nil {
			return err
		}
		return enc.Encode(verdict)
	}
	lines := bufio.NewScanner(cmd.InOrStdin())
	lines.Buffer(nil, maxTextLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		request := struct {
			Kind   string
			Gold   *string
			Answer *string
		}{Kind: kind}
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return fmt.Errorf("standard input:%d: %w", n, err)
		}
		if request.Gold == nil || request.Answer == nil {
			return fmt.Errorf(`standard input:%d: needs the string fields "gold" and "answer"`, n)
		}
		verdict, err := grade.Judge(request.Kind, *request.Gold, *request.Answer)
		if err != nil {
			return fmt.Errorf("standard input:%d: %w", n, err)
		}
		if err := enc.Encode(verdict); err != nil {
			return err
		}
	}
	return lines.Err()
}
