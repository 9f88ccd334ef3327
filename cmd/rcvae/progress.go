package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// progress shows how far a long piece of work has come, on standard error: a bar
// on a terminal, a line every few seconds elsewhere, nothing with --quiet.
type progress struct {
	out   io.Writer
	unit  string
	label string
	bar   *progressbar.ProgressBar
	start time.Time
	first int // done when the work started: not counted in the rate
	next  time.Time
	note  string
}

const progressLineEvery = 10 * time.Second

// newProgress returns a progress that reports in unit ("texts", "epochs", …).
func newProgress(cmd *cobra.Command, label, unit string) *progress {
	p := &progress{out: cmd.ErrOrStderr(), unit: unit, label: label}
	if quiet, _ := cmd.Flags().GetBool("quiet"); quiet {
		p.out = nil
	}
	return p
}

// say writes a line before the work begins, for work whose first unit can take long.
func (p *progress) say(what string) {
	if p.out != nil {
		fmt.Fprintf(p.out, "%s: %s\n", p.label, what)
	}
}

// update reports that done of total units are finished. It must not be called
// concurrently.
func (p *progress) update(done, total int) {
	if p.out == nil || total == 0 {
		return
	}
	now := time.Now()
	if p.start.IsZero() {
		p.start, p.first, p.next = now, done, now.Add(progressLineEvery)
		if file, ok := p.out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
			p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(p.label),
				progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(p.unit),
				progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
		}
	}
	if p.bar != nil {
		p.bar.Describe(p.describe())
		_ = p.bar.Set(done)
		return
	}
	if now.Before(p.next) || done == total {
		return
	}
	p.next = now.Add(progressLineEvery)
	rate := float64(done-p.first) / now.Sub(p.start).Seconds()
	left := "unknown time left"
	if rate > 0 {
		left = (time.Duration(float64(total-done)/rate) * time.Second).String() + " left"
	}
	fmt.Fprintf(p.out, "%s: %d/%d %s, %.1f %s/s, %s\n", p.describe(), done, total, p.unit, rate, p.unit, left)
}

func (p *progress) describe() string {
	if p.note == "" {
		return p.label
	}
	return p.label + " (" + p.note + ")"
}

// done ends the report and says what the whole took.
func (p *progress) done(total int) {
	if p.out == nil || p.start.IsZero() {
		return
	}
	if p.bar != nil {
		_ = p.bar.Finish()
	}
	took := time.Since(p.start)
	fmt.Fprintf(p.out, "%s: %d %s in %s\n", p.label, total, p.unit, took.Round(100*time.Millisecond))
}
