package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rcvae/eval"
	"rcvae/internal/atomicfile"
	"rcvae/report"
)

func newReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report RESULT...",
		Short: "Draw results as one HTML page that loads nothing",
		Long: `Draw what 'rcvae eval' measured as one HTML file: accuracy against k, paired
differences, risk against coverage, calibration, entropies, a map of the latent means,
what each signal is worth, the training, and every question with its candidates. The
page needs no network, no server and no JavaScript to be read.

The plots of candidates and the table of questions need what 'rcvae eval --details FILE'
wrote: one --details per result, in their order, "none" for a result without. Pools that
have questions in common are compared pairwise on these.`,
		Example: `  rcvae eval --pool test-pool.jsonl.gz -k 4,8,16 --out result.json --details details.jsonl.gz
  rcvae report result.json --details details.jsonl.gz --out report.html
  rcvae report a.json b.json --details a.jsonl.gz --details b.jsonl.gz --out report.html`,
		Args: someResults,
		RunE: runReport,
	}
	f := cmd.Flags()
	f.StringArray("details", nil, "details `FILE` of a result, in the order of the results (repeatable)")
	f.String("out", "", "`FILE`.html to write to (required)")
	f.String("selector", "", "`RULE` that is compared with majority throughout (default: the first of the result)")
	f.Bool("tsne", false, "add a map by t-SNE of at most 2,000 latent means")
	return cmd
}

func someResults(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("%s takes at least one result of 'rcvae eval --out FILE'", cmd.CommandPath())
	}
	return nil
}

func runReport(cmd *cobra.Command, args []string) error {
	f := cmd.Flags()
	out, _ := f.GetString("out")
	details, _ := f.GetStringArray("details")
	switch {
	case out == "":
		return usagef("--out is missing: name the HTML file to write")
	case len(details) > len(args):
		return usagef("%d files of --details stand beside %d results: give one per result, in their order", len(details), len(args))
	}
	if err := checkWritable(out, append(args, details...)...); err != nil {
		return err
	}
	if err := checkReplaced(cmd.CommandPath()+" --out", out); err != nil {
		return err
	}
	sources, done, err := openResults(args, details)
	defer done()
	if err != nil {
		return err
	}
	o := report.Options{Command: commandLine(cmd), Commit: commit}
	o.Rule, _ = f.GetString("selector")
	o.TSNE, _ = f.GetBool("tsne")
	if err := atomicfile.Write(out, func(w io.Writer) error { return report.Write(w, sources, o) }); err != nil {
		return err
	}
	for _, s := range sources {
		if s.Details == nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: %s has no details: the page has no plots of candidates and no questions; run rcvae eval --details FILE, and give FILE here\n", s.Name)
		}
	}
	return nil
}

// openResults reads the results and opens their details; done closes them.
func openResults(paths, details []string) (sources []report.Source, done func(), err error) {
	var open []io.Closer
	done = func() {
		for _, f := range open {
			f.Close()
		}
	}
	for i, path := range paths {
		result, err := readResult(path)
		if err != nil {
			return nil, done, err
		}
		s := report.Source{Name: filepath.Base(path), Result: result}
		if i < len(details) && details[i] != "none" {
			file, err := os.Open(details[i])
			if err != nil {
				return nil, done, fmt.Errorf("open details: %w", err)
			}
			open = append(open, file)
			s.Details = eval.ReadDetails(file, details[i])
		}
		sources = append(sources, s)
	}
	return sources, done, nil
}

func readResult(path string) (*eval.Result, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no result %s; 'rcvae eval --out %s' writes one", path, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open result: %w", err)
	}
	defer file.Close()
	result, err := eval.ReadJSON(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return result, nil
}
