package cvae

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae"
)

// TestResume stops a run in the middle of an epoch, again at its first step after
// that, and then lets it finish: the weights are those of an uninterrupted run.
func TestResume(t *testing.T) {
	for _, objective := range []string{Contrastive, Paper} {
		t.Run(objective, func(t *testing.T) {
			data, c := withSignals(synthetic(60, 6, 24, 2), 2), small(objective, 24, signalNames...)
			want := run(t, c, data, Options{})
			options := Options{Checkpoint: filepath.Join(t.TempDir(), "state"), Resume: true}
			for _, stop := range []int{3, 1, c.Epochs * 2} {
				interrupt(t, c, data, options, stop)
			}
			if _, err := Load(options.Checkpoint); err == nil || !strings.Contains(err.Error(), "unfinished") {
				t.Errorf("Load(checkpoint) = %v, want an error that says what it is", err)
			}
			got := run(t, c, data, options)
			if !slices.Equal(got.params, want.params) {
				t.Error("resumed weights differ from the uninterrupted run's")
			}
			for i := range want.summary.Curve {
				got, want := got.summary.Curve[i], want.summary.Curve[i]
				if got.Loss != want.Loss || got.KL != want.KL || *got.Validation != *want.Validation || got.ActiveUnits != want.ActiveUnits {
					t.Errorf("epoch %d: log = %+v, want %+v", i+1, got, want)
				}
			}
			again := run(t, c, data, options) // of a run that is done
			if !slices.Equal(again.params, want.params) {
				t.Error("resuming a finished run changes its weights")
			}
		})
	}
}

// interrupt trains for some steps and then ends the context.
func interrupt(t *testing.T, c Config, data []rcvae.Encoded, options Options, steps int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	options.OnStep = func(StepLog) {
		if steps--; steps == 0 {
			cancel()
		}
	}
	if _, err := Train(ctx, c, data, options); !errors.Is(err, context.Canceled) {
		t.Fatalf("Train with a cancelled context = %v, want %v", err, context.Canceled)
	}
}

func TestResumeRefusesAnotherRun(t *testing.T) {
	data, c := synthetic(30, 4, 16, 2), small(Contrastive, 16)
	options := Options{Checkpoint: filepath.Join(t.TempDir(), "state"), Resume: true}
	interrupt(t, c, data, options, 2)
	other, rounded := c, c
	other.LearningRate, rounded.Precision = 0.5, BFloat16
	for name, run := range map[string]func() error{
		"LearningRate":                func() error { _, err := Train(t.Context(), other, data, options); return err },
		"Precision float32, now bf16": func() error { _, err := Train(t.Context(), rounded, data, options); return err },
		"data":                        func() error { _, err := Train(t.Context(), c, synthetic(30, 4, 16, 3), options); return err },
		"embedder": func() error {
			options := options
			options.Fingerprint = rcvae.Fingerprint{Name: "other", Dimension: 16}
			_, err := Train(t.Context(), c, data, options)
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("resume with another %s = %v, want an error that says so", name, err)
		}
	}
}
