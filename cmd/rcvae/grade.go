package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae/grade"
)

func newGrade() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "grade",
		Short: "Tell whether an answer is right",
		Long: `Compare an answer, or a whole solution, with the gold answer. Without --gold and
--answer, read JSON Lines from standard input,

  {"grader": "auto"|"gsm8k"|"gsm8k-strict"|"math", "gold": TEXT, "answer": TEXT}

and print a verdict a line: correct, incorrect, no_answer (none was found) or
ungraded (could not be decided), with the answer that was found and by which rule,
both normal forms, the level, and the rule of equivalence that decided. A line's
grader ("kind" means the same) and level override --grader and --level, its id is
carried into the verdict. --explain prints the same for people.

Levels: string compares normalised LaTeX, numeric also numbers, symbolic also
expressions, equations, intervals, sets and matrices by their mathematics. The
default is numeric for gsm8k and symbolic for math.`,
		Example: `  rcvae grade --grader math --gold '\frac12' --answer 'So it is $\boxed{0.5}$.'
  rcvae grade --grader math --gold 'x^2-4' --answer '(x-2)(x+2)' --explain`,
		Args: noArgs,
		RunE: runGrade,
	}
	addAnswerGrader(cmd.Flags())
	cmd.Flags().String("level", "", "`LEVEL` of equivalence: string, numeric or symbolic (default: that of the grader)")
	cmd.Flags().String("gold", "", "the reference answer or solution")
	cmd.Flags().String("answer", "", "the answer or solution to grade")
	cmd.Flags().Bool("explain", false, "say in words what was found and what decided")
	return cmd
}

func runGrade(cmd *cobra.Command, _ []string) error {
	kind, _ := cmd.Flags().GetString("grader")
	level, _ := cmd.Flags().GetString("level")
	gold, _ := cmd.Flags().GetString("gold")
	answer, _ := cmd.Flags().GetString("answer")
	explain, _ := cmd.Flags().GetBool("explain")
	graders := graders{}
	if _, err := graders.get(kind, level); err != nil {
		return usageError{err}
	}
	if cmd.Flags().Changed("gold") != cmd.Flags().Changed("answer") {
		return usagef("give both --gold and --answer, or neither and JSON Lines on standard input")
	}
	write := verdictWriter(cmd.OutOrStdout(), explain)
	if cmd.Flags().Changed("gold") {
		g, err := graders.get(kind, level)
		if err != nil {
			return err
		}
		return write(lineVerdict{Verdict: g.Judge(gold, answer)})
	}
	lines := bufio.NewScanner(cmd.InOrStdin())
	lines.Buffer(nil, maxTextLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		verdict, err := graders.line(lines.Bytes(), kind, level)
		if err != nil {
			return fmt.Errorf("standard input:%d: %w", n, err)
		}
		if err := write(verdict); err != nil {
			return err
		}
	}
	return lines.Err()
}

// graders holds one grader for every kind and level that was asked for.
type graders map[string]*grade.Grader

func (gs graders) get(kind, level string) (*grade.Grader, error) {
	name := kind
	if level != "" {
		if !slices.Contains(grade.Levels(), grade.Level(level)) {
			return nil, fmt.Errorf("unknown level %q; known are %v", level, grade.Levels())
		}
		name += "-" + level
	}
	if g := gs[name]; g != nil {
		return g, nil
	}
	g, err := grade.New(name)
	if err != nil {
		return nil, err
	}
	gs[name] = g
	return g, nil
}

// lineVerdict is a verdict with the id of its line, as the line has it.
type lineVerdict struct {
	ID json.RawMessage `json:"id,omitempty"`
	grade.Verdict
}

// gradeRequest is a line of standard input.
type gradeRequest struct {
	ID                  json.RawMessage
	Kind, Grader, Level string
	Gold, Answer        answerText
}

// answerText is a text or a number in JSON; nil where it is absent or null.
type answerText []byte

func (a *answerText) UnmarshalJSON(value []byte) error {
	switch c := value[0]; {
	case c == 'n':
	case c == '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		*a = append(answerText{}, text...)
	case c == '-' || c >= '0' && c <= '9':
		*a = append(answerText{}, value...)
	default:
		return fmt.Errorf(`"gold" and "answer" are texts or numbers, found %.20s`, value)
	}
	return nil
}

// line judges one line of standard input.
func (gs graders) line(line []byte, kind, level string) (lineVerdict, error) {
	request := gradeRequest{Kind: kind, Level: level}
	if err := json.Unmarshal(line, &request); err != nil {
		return lineVerdict{}, err
	}
	if request.Gold == nil || request.Answer == nil {
		return lineVerdict{}, fmt.Errorf(`needs the fields "gold" and "answer", texts or numbers`)
	}
	g, err := gs.get(cmp.Or(request.Grader, request.Kind), request.Level)
	if err != nil {
		return lineVerdict{}, err
	}
	return lineVerdict{request.ID, g.Judge(string(request.Gold), string(request.Answer))}, nil
}

// verdictWriter returns a function that prints verdicts as JSON Lines or in words.
func verdictWriter(w io.Writer, explain bool) func(lineVerdict) error {
	if !explain {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return func(v lineVerdict) error { return enc.Encode(v) }
	}
	return func(v lineVerdict) error {
		_, err := io.WriteString(w, explanation(v.Verdict))
		return err
	}
}

// found says in words how an answer was found, for each rule of extraction.
var found = map[string]string{
	"hash": "behind ####", "boxed": "in the last box", "field": "in a JSON field", "phrase": `behind "answer is" or the like`,
	"bare": "as the whole text", "formula": "as the last formula", "number": "as the last number", "tag": "between <answer> tags", "word": "as the word that is stated",
}

// explanation writes a verdict for people.
func explanation(v grade.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", v.Verdict)
	switch {
	case v.Extracted != nil && found[v.Rule] != "":
		fmt.Fprintf(&b, "  answer       %s   found %s\n", *v.Extracted, found[v.Rule])
	case v.Extracted != nil:
		fmt.Fprintf(&b, "  answer       %d bytes, not graded: %s\n", len(*v.Extracted), v.Rule)
	case v.Rule != "":
		fmt.Fprintf(&b, "  not graded   %s\n", v.Rule)
	default:
		fmt.Fprintf(&b, "  answer       none found\n")
	}
	fmt.Fprintf(&b, "  gold form    %s\n", v.GoldForm)
	if v.AnswerForm != "" {
		fmt.Fprintf(&b, "  answer form  %s\n", v.AnswerForm)
	}
	if v.DecidedBy != "" {
		fmt.Fprintf(&b, "  decided by   %s, at level %s\n", v.DecidedBy, v.Level)
	}
	return b.String()
}
