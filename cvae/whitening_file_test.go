package cvae

import (
	"bytes"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/safetensors"
)

// TestFileOfEveryRun: the file is the same whatever the number of workers, and gives
// the same distances when it was loaded.
func TestFileOfEveryRun(t *testing.T) {
	for _, objective := range []string{Contrastive, Ratio, Paper} {
		c := small(objective, 33)
		c.Epochs, c.Standardize = 1, true
		data := synthetic(40, 6, 33, 1)
		one, two := run(t, c, data, Options{Workers: 1}), run(t, c, data, Options{Workers: 3})
		file, err := one.encodeFile()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := two.encodeFile(); err != nil || !bytes.Equal(again, file) {
			t.Errorf("%s: files with 1 and 3 workers differ (%v)", objective, err)
		}
		loaded, err := Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := distances(t, loaded, solutions(data)), distances(t, one, solutions(data)); !slices.Equal(got, want) {
			t.Errorf("%s: distances of a loaded model differ", objective)
		}
	}
}

// TestWhitenIsDeterministic uses enough dimensions for gonum to work in parallel.
func TestWhitenIsDeterministic(t *testing.T) {
	const D = 300
	samples := solutions(gaussian(80, D, 9))
	fit := func(workers int) []float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
		pool := gemm.NewPool(workers)
		defer pool.Close()
		rows, err := whiten(covariance(pool, D, len(samples), copies(samples)), ridge)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	want := fit(1)
	for range 3 {
		if !slices.Equal(fit(4), want) {
			t.Error("the whitening with 1 and 4 workers differs")
		}
	}
}

func TestModelsWithoutWhitening(t *testing.T) {
	literal, few, alike := small(Paper, 12), small(Contrastive, 12), small(Contrastive, 12)
	literal.Epochs, few.Epochs, alike.Epochs = 1, 1, 1
	same := synthetic(20, 6, 12, 1)
	for _, e := range same {
		for i := range e.Solutions {
			e.Solutions[i] = same[0].Solutions[0]
		}
	}
	for _, test := range []struct {
		name    string
		config  Config
		data    []rcvae.Encoded
		warning string // "": none
	}{
		{"paper", literal, synthetic(20, 6, 12, 1), ""},
		{"few samples", few, synthetic(5, 4, 12, 1), "are too few for 12 elements of embedding and signals: give at least 24"},
		{"equal samples", alike, same, "candidates that differ"},
	} {
		m := run(t, test.config, test.data, Options{})
		warnings := strings.Join(m.Summary().Warnings, "\n")
		if strings.Contains(warnings, "out-of-distribution") != (test.warning != "") || !strings.Contains(warnings, test.warning) {
			t.Errorf("%s: warnings = %q, want %q", test.name, warnings, test.warning)
		}
		if c := m.Info().Calibration; c.Near != 0 || c.Far != 0 {
			t.Errorf("%s: near %g and far %g, want 0", test.name, c.Near, c.Far)
		}
		if f := weights(t, m, test.data[0].Solutions[:3]); !slices.Equal(f, []float64{1, 1, 1}) {
			t.Errorf("%s: weights = %v, want ones", test.name, f)
		}
	}
}

func TestDecodeRefusesBadWhitening(t *testing.T) {
	m, _ := trained(t, Contrastive, 12)
	broken := slices.Clone(m.whitening.rows)
	broken[5] = float32(math.NaN())
	type whiteningFile struct {
		rows      []float32
		near, far float64
	}
	for want, f := range map[string]whiteningFile{
		"the config needs F32 [78]": {m.whitening.rows[:77], 1, 2},
		"whitening":                 {broken, 1, 2},
		"the distances near 2 and far 2 are not 0 < near < far":  {m.whitening.rows, 2, 2},
		"the distances near 3 and far 2 are not 0 < near < far":  {m.whitening.rows, 3, 2},
		"the distances near 0 and far 2 are not 0 < near < far":  {m.whitening.rows, 0, 2},
		"the distances near -1 and far 2 are not 0 < near < far": {m.whitening.rows, -1, 2},
		`no tensor "whitening"`:                                  {nil, 1, 2},
	} {
		calibration, summary := m.calibration, m.summary
		calibration.Near, calibration.Far = f.near, f.far
		tensors := append(paramTensors(m.net, "", m.params), m.inputs.tensors()...)
		if f.rows != nil {
			tensors = append(tensors, safetensors.Float32s(whiteningTensor, []int{len(f.rows)}, f.rows))
		}
		data, err := encodeFile(header{Kind: kindModel, Config: m.config, Objective: m.objective, Calibration: &calibration, Summary: &summary}, tensors)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode() = %v, want %q", err, want)
		}
	}
}
