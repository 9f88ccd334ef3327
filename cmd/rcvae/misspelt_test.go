package main

import (
	"strings"
	"testing"
)

func TestMisspeltFlagsAreGuessed(t *testing.T) {
	for typed, want := range map[string]string{"--embeder": "did you mean --embedder?", "--epoch": "did you mean --epochs?", "--addr": "", "--x": ""} {
		got := rcvaeRun(t, "", "train", typed, "1")
		if got.code != exitUsage || want == "" && strings.Contains(got.stderr, "did you mean") || !strings.Contains(got.stderr, want) {
			t.Errorf("train %s: exit code %d, %q, want %q in it", typed, got.code, got.stderr, want)
		}
	}
}

func TestMisspeltVariablesAreSaid(t *testing.T) {
	for name, want := range map[string]string{
		"RCVAE_EPOCH": "did you mean RCVAE_EPOCHS?", "RCVAE_UPSTREAM_KEYS": "did you mean RCVAE_UPSTREAM_KEY?",
		"RCVAE_EPOCHS": "", "RCVAE_KEYS": "", "RCVAE_SOMETHING_ELSE": "", "EPOCH": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "3")
			got := rcvaeRun(t, "", "version")
			if got.code != exitOK || strings.Contains(got.stderr, "did you mean") != (want != "") || !strings.Contains(got.stderr, want) {
				t.Errorf("exit code %d, %q, want %q in it", got.code, got.stderr, want)
			}
		})
	}
}
