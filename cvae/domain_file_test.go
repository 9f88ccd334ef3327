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

// TestDomainOfEveryRun: the file is the same whatever the number of workers, and
// gives the same distances when it was loaded.
func TestDomainOfEveryRun(t *testing.T) {
	for _, objective := range []string{Contrastive, Ratio, Paper} {
		c := small(objective, 33)
		c.Epochs, c.Standardize = 1, true
		data := synthetic(40, 6, 33, 1)
		one, two := train(t, c, data, Options{Workers: 1}), train(t, c, data, Options{Workers: 3})
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
		if got, want := distances(t, loaded, data.Solutions), distances(t, one, data.Solutions); want == nil || !slices.Equal(got, want) {
			t.Errorf("%s: distances of a loaded model differ", objective)
		}
	}
}

// TestWhitenIsDeterministic uses enough dimensions for gonum to work in parallel.
func TestWhitenIsDeterministic(t *testing.T) {
	const D = 300
	samples, identity := gaussian(80, D, 9).Solutions, newStandardizer(make([]float32, D), ones(D))
	fit := func(workers int) []float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
		pool := gemm.NewPool(workers)
		defer pool.Close()
		whitening, err := whiten(covariance(pool, identity, samples), domainRidge)
		if err != nil {
			t.Fatal(err)
		}
		return whitening
	}
	want := fit(1)
	for range 3 {
		if !slices.Equal(fit(4), want) {
			t.Error("the whitening with 1 and 4 workers differs")
		}
	}
}

func TestModelsWithoutDomain(t *testing.T) {
	literal, few, alike := small(Paper, 12), small(Contrastive, 12), small(Contrastive, 12)
	literal.Epochs, few.Epochs, alike.Epochs = 1, 1, 1
	same := synthetic(20, 6, 12, 1)
	for i := range same.Solutions {
		same.Solutions[i] = same.Solutions[0]
	}
	for _, test := range []struct {
		name    string
		config  Config
		data    Data
		warning string // "": none
	}{
		{"paper", literal, synthetic(20, 6, 12, 1), ""},
		{"few samples", few, synthetic(5, 5, 12, 1), "20 training samples are too few for embeddings of 12 dimensions: give at least 24"},
		{"equal samples", alike, same, "give samples that differ"},
	} {
		m := train(t, test.config, test.data, Options{})
		warnings := strings.Join(m.Summary().Warnings, "\n")
		if strings.Contains(warnings, "unlike its training data") != (test.warning != "") || !strings.Contains(warnings, test.warning) {
			t.Errorf("%s: warnings = %q, want %q", test.name, warnings, test.warning)
		}
		checkWithoutDomain(t, test.name, m, test.data)
	}
}

// TestOlderFile reads a file without near, far and the tensor.
func TestOlderFile(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	m.domain, m.calibration.Near, m.calibration.Far = nil, 0, 0
	file, err := m.encodeFile()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte(domainTensor)) || bytes.Contains(file, []byte(`\"near\"`)) {
		t.Error("the file of a model without a domain tells of one")
	}
	loaded, err := Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	checkWithoutDomain(t, "older file", loaded, data)
}

func checkWithoutDomain(t *testing.T, name string, m *Model, data Data) {
	t.Helper()
	if c := m.Calibration(); c.Near != 0 || c.Far != 0 || distances(t, m, data.Solutions) != nil {
		t.Errorf("%s: near %g, far %g and distances, want 0, 0 and none", name, c.Near, c.Far)
	}
	f, err := m.Familiarity(data.Questions[0], data.Solutions[:3])
	if err != nil || !slices.Equal(f, []float64{1, 1, 1}) {
		t.Errorf("%s: Familiarity() = %v (%v), want ones", name, f, err)
	}
}

func TestDecodeRefusesBadDomain(t *testing.T) {
	m, _ := trained(t, Contrastive, 12)
	broken := slices.Clone(m.domain.whitening)
	broken[5] = float32(math.NaN())
	type domainFile struct {
		whitening []float32
		near, far float64
	}
	for want, f := range map[string]domainFile{
		"the config needs F32 [78]":                              {m.domain.whitening[:77], 1, 2},
		"domain.whitening":                                       {broken, 1, 2},
		"the distances near 2 and far 2 are not 0 < near < far":  {m.domain.whitening, 2, 2},
		"the distances near 3 and far 2 are not 0 < near < far":  {m.domain.whitening, 3, 2},
		"the distances near 0 and far 2 are not 0 < near < far":  {m.domain.whitening, 0, 2},
		"the distances near -1 and far 2 are not 0 < near < far": {m.domain.whitening, -1, 2},
		`no tensor "domain.whitening"`:                           {nil, 1, 2},
	} {
		calibration, summary := m.calibration, m.summary
		calibration.Near, calibration.Far = f.near, f.far
		tensors := append(paramTensors(m.net, "", m.params), standardizerTensors(m.q, m.r)...)
		if f.whitening != nil {
			tensors = append(tensors, safetensors.Float32s(domainTensor, []int{len(f.whitening)}, f.whitening))
		}
		data, err := encodeFile(header{Kind: kindModel, Config: m.config, Calibration: &calibration, Summary: &summary}, tensors)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode() = %v, want %q", err, want)
		}
	}
}

func TestFamiliarityReportsBadInput(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	without, _ := trained(t, Contrastive, 12)
	without.domain = nil
	infinite, huge := slices.Clone(data.Solutions[0]), slices.Clone(data.Solutions[0])
	infinite[3], huge[3] = float32(math.Inf(1)), math.MaxFloat32
	for _, m := range []*Model{m, without} {
		for want, inputs := range map[string][]rcvae.Embedding{
			"question: embedding has 3 dimensions, the model 12":   {make(rcvae.Embedding, 3), data.Solutions[0]},
			"solution 0: embedding has 3 dimensions, the model 12": {data.Questions[0], make(rcvae.Embedding, 3)},
			"solution 1: embedding is +Inf at dimension 3":         {data.Questions[0], data.Solutions[0], infinite},
		} {
			if _, err := m.Familiarity(inputs[0], inputs[1:]); err == nil || err.Error() != want {
				t.Errorf("Familiarity() = %v, want %q", err, want)
			}
		}
		if f, err := m.Familiarity(data.Questions[0], nil); len(f) > 0 || err != nil {
			t.Errorf("Familiarity of nothing = %v, %v, want nothing", f, err)
		}
	}
	if _, err := m.Familiarity(data.Questions[0], []rcvae.Embedding{huge}); err == nil || !strings.Contains(err.Error(), "solution 0: its distance is not finite") {
		t.Errorf("Familiarity of a huge embedding = %v, want that the distance is not finite", err)
	}
}
