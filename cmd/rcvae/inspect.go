package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
)

func newInspect() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "inspect MODEL",
		Short:   "Show what a model is and how it was trained",
		Long:    "Show a model's configuration, training curve, diagnostics and the fingerprint of its embedder.",
		Example: "  rcvae inspect model.rcvae --json | jq .summary",
		Args:    oneModel,
		RunE:    runInspect,
	}
	cmd.Flags().Bool("json", false, "print JSON")
	return cmd
}

func oneModel(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s takes one model file, got %d arguments", cmd.CommandPath(), len(args))
	}
	return nil
}

// inspection is the output of 'inspect --json'.
type inspection struct {
	Config      cvae.Config       `json:"config"`
	Embedder    rcvae.Fingerprint `json:"embedder"`
	Fingerprint string            `json:"embedder_fingerprint"`
	Calibration rcvae.Calibration `json:"calibration"`
	License     string            `json:"embedder_license,omitempty"`
	Summary     cvae.Summary      `json:"summary"`
}

func runInspect(cmd *cobra.Command, args []string) error {
	model, err := loadModel(args[0])
	if err != nil {
		return err
	}
	record, err := recordOf(model)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	info := model.Info()
	report := inspection{model.Config(), info.Fingerprint, info.Fingerprint.ID(), info.Calibration, "", model.Summary()}
	if record != nil {
		report.License = record.License
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, report)
	}
	return report.write(cmd.OutOrStdout())
}

func (r inspection) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	c := r.Config
	fmt.Fprintf(table, "objective\t%s\n", c.Objective)
	fmt.Fprintf(table, "embedder\t%s\n", r.embedder())
	if r.License != "" {
		fmt.Fprintf(table, "embedder's licence\t%s\n", r.License)
	}
	fmt.Fprintf(table, "calibration\tscore = -%.4g · ½Σ ln σ², vote weight exp(%.3g · score)\n", r.Calibration.Scale, r.Calibration.Tau)
	fmt.Fprintf(table, "signals\t%s\n", r.signals())
	if c.Precision != "" {
		fmt.Fprintf(table, "precision of training\t%s\n", c.Precision)
	}
	fmt.Fprintf(table, "out-of-distribution\t%s\n", r.outOfDistribution())
	writeSummary(table, r.Summary)
	fmt.Fprintf(table, "\nepoch\tloss\tKL (nats)\tvalidation\tactive units\n")
	for _, e := range r.Summary.Curve {
		validation := "-"
		if e.Validation != nil {
			validation = fmt.Sprintf("%.4f", *e.Validation)
		}
		fmt.Fprintf(table, "%d\t%.4f\t%.3f\t%s\t%d\n", e.Epoch, e.Loss, e.KL, validation, e.ActiveUnits)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, warning := range r.Summary.Warnings {
		fmt.Fprintf(w, "\nwarning: %s\n", warning)
	}
	return nil
}

func (r inspection) embedder() string {
	if r.Embedder.Dimension == 0 {
		return "none: signals alone"
	}
	return r.Embedder.String()
}

// signals names the columns beside the embedding.
func (r inspection) signals() string {
	if len(r.Config.Signals) == 0 {
		return "none: the model reads embeddings alone"
	}
	return fmt.Sprintf("%s (version %d)", strings.Join(r.Config.Signals, ", "), r.Config.SignalVersion)
}

// outOfDistribution says whether the model can tell candidates unlike its training data.
func (r inspection) outOfDistribution() string {
	if r.Calibration.Far == 0 {
		return "cannot be told from the training data"
	}
	return fmt.Sprintf("discounted from a squared distance per dimension of %.3g on, without weight from %.3g on", r.Calibration.Near, r.Calibration.Far)
}
