package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/dataset"
	"rcvae/dataset/foreign"
)

func newPool() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pool",
		Short: "Import, grade and inspect pools of candidates",
		Long: `A pool is a file of questions with candidates: JSON Lines, plain or compressed
(.jsonl, .jsonl.gz, .jsonl.zst), or .parquet. import makes one of other tools' files,
grade sets its verdicts, and info says what is in it.`,
		Example: `  rcvae pool import --from lm-eval samples_gsm8k_2026-01-02.jsonl --out pool.jsonl.gz
  rcvae pool grade --grader gsm8k pool.jsonl.gz --out graded.jsonl.gz
  rcvae pool info graded.jsonl.gz`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return usagef("say what to do: import, grade or info") },
	}
	cmd.AddCommand(newPoolImport(), newPoolGrade(), newPoolInfo())
	return cmd
}

func newPoolImport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import --from FORMAT FILE... --out POOL",
		Short: "Make a pool of the files of another tool",
		Long: `Read files of another tool and write them as one pool, a line per question. Files are
JSON Lines, JSON arrays (both may be compressed) or Parquet. --from is

  lm-eval       samples_*.jsonl of lm-evaluation-harness (--log_samples)
  lighteval     details_*.parquet of lighteval
  inspect       .eval or .json logs of inspect_ai; epochs are candidates
  openai-batch  the results of the Batch API, with the file of requests beside them
  completions   dumps of k completions per question, or of one per line

What the tools call otherwise is mapped with --field NAME=THEIRS, where NAME is
` + strings.Join(foreign.Fields(), ", ") + `
and THEIRS may lead into objects and lists (doc.question, prompt.0.content); an empty
THEIRS leaves a field out. Questions and reference answers that the files lack come from
--problems, by id or by the text of the question.`,
		Example: `  rcvae pool import --from openai-batch requests.jsonl results.jsonl --problems train.jsonl --out pool.jsonl.gz
  rcvae pool import --from completions dump.parquet --field answer=meta.gold --out pool.parquet`,
		Args: somePaths,
		RunE: runPoolImport,
	}
	f := cmd.Flags()
	f.String("from", "", "`FORMAT` of the files: "+strings.Join(foreign.Formats(), ", ")+" (required)")
	f.String("out", "", "`FILE` to write the pool to: .jsonl, .jsonl.gz, .jsonl.zst or .parquet (required)")
	f.StringArray("field", nil, "`NAME=THEIRS`, where the files have a field of the pool (repeatable)")
	f.StringArray("problems", nil, "`FILE` of problems with the questions and answers that the files lack (repeatable)")
	f.Bool("skip-bad", false, "leave out records that cannot be read, and say which")
	f.Bool("keep-extra", false, "keep the fields that have no place in a pool")
	f.Bool("json", false, "print what was read as JSON")
	return cmd
}

// somePaths demands positional arguments.
func somePaths(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("%s: name a FILE", cmd.CommandPath())
	}
	return nil
}

func runPoolImport(cmd *cobra.Command, paths []string) error {
	format, options, err := importOptions(cmd)
	if err != nil {
		return err
	}
	out, err := poolOut(cmd, paths...)
	if err != nil {
		return err
	}
	questions, report, err := foreign.Import(format, paths, options)
	if err != nil {
		return err
	}
	if err := dataset.SavePool(out, questions); err != nil {
		return err
	}
	return showImport(cmd, out, questions, report)
}

func importOptions(cmd *cobra.Command) (format string, o foreign.Options, err error) {
	f := cmd.Flags()
	if format, _ = f.GetString("from"); !slices.Contains(foreign.Formats(), format) {
		return "", o, usagef("--from is %q, want one of %s", format, strings.Join(foreign.Formats(), ", "))
	}
	pairs, _ := f.GetStringArray("field")
	o.Fields = map[string]string{}
	for _, pair := range pairs {
		name, theirs, ok := strings.Cut(pair, "=")
		if !ok || !slices.Contains(foreign.Fields(), name) {
			return "", o, usagef("--field %q: want NAME=THEIRS with NAME one of %s", pair, strings.Join(foreign.Fields(), ", "))
		}
		o.Fields[name] = theirs
	}
	o.KeepExtra, _ = f.GetBool("keep-extra")
	o.SkipBad, _ = f.GetBool("skip-bad")
	o.Problems, err = loadProblems(cmd)
	return format, o, err
}

// loadProblems reads the files of --problems.
func loadProblems(cmd *cobra.Command) ([]rcvae.Problem, error) {
	paths, _ := cmd.Flags().GetStringArray("problems")
	return dataset.LoadProblems(paths...)
}

// poolOut returns the path of --out, which must be given and none of the inputs.
func poolOut(cmd *cobra.Command, inputs ...string) (string, error) {
	out, _ := cmd.Flags().GetString("out")
	if out == "" {
		return "", usagef("--out is missing: name the pool to write")
	}
	problems, _ := cmd.Flags().GetStringArray("problems")
	return out, checkOutputs(cmd, slices.Concat(inputs, problems)...)
}

// showImport says what was read, what was left out, and what to do next.
func showImport(cmd *cobra.Command, out string, questions []rcvae.Question, r foreign.Report) error {
	for _, bad := range r.Bad {
		note(cmd, "left out: %v", bad)
	}
	for _, text := range r.Notes {
		note(cmd, "%s", text)
	}
	if doubled := dataset.FindDoubled(questions).String(); doubled != "" {
		note(cmd, "%s", doubled)
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, importSummary{out, r.Records, r.Skipped, r.Questions, r.Candidates, r.NoAnswer, r.Ungraded, r.Notes})
	}
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s: %d questions, %d candidates from %d records", out, r.Questions, r.Candidates, r.Records)
	if r.Skipped > 0 {
		fmt.Fprintf(w, "; %d bad records are left out", r.Skipped)
	}
	fmt.Fprintln(w)
	switch {
	case r.NoAnswer > 0:
		fmt.Fprintf(w, "%d questions have no reference answer: 'rcvae pool grade --problems FILE' supplies them\n", r.NoAnswer)
	case r.Ungraded > 0:
		fmt.Fprintf(w, "%d candidates have no verdict: 'rcvae pool grade --grader NAME %s --out FILE' sets them\n", r.Ungraded, out)
	}
	return nil
}

// importSummary is what import prints as JSON.
type importSummary struct {
	Pool       string   `json:"pool"`
	Records    int      `json:"records"`
	Skipped    int      `json:"skipped"`
	Questions  int      `json:"questions"`
	Candidates int      `json:"candidates"`
	NoAnswer   int      `json:"questions_without_answer"`
	Ungraded   int      `json:"ungraded"`
	Notes      []string `json:"notes,omitempty"`
}
