package lm_test

import (
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed/lm"
)

// TestABaseHasTheFingerprint opens the real base, whose vectors package encoder compares
// with the reference's.
func TestABaseHasTheFingerprint(t *testing.T) {
	m, err := lm.Open(base(t))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := m.Fingerprint(); got != lm.Fingerprint() {
		t.Errorf("fingerprint %+v, want %+v", got, lm.Fingerprint())
	}
	e, err := m.Embed(t.Context(), []rcvae.Text{{Text: "How many?"}})
	if err != nil || len(e[0]) != lm.Fingerprint().Dimension {
		t.Errorf("an embedding of %d values (%v), want %d", len(e[0]), err, lm.Fingerprint().Dimension)
	}
}

// TestOtherBasesAreRefused: a model of other sizes is told by its shapes.
func TestOtherBasesAreRefused(t *testing.T) {
	if _, err := lm.Open("../encoder/testdata/tiny/qwen2"); err == nil || !strings.Contains(err.Error(), "adapter") {
		t.Errorf("Open of a tiny model: error %v, want one about the adapter", err)
	}
}
