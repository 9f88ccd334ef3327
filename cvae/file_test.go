package cvae

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rcvae"
	"rcvae/internal/safetensors"
)

func TestSaveLoad(t *testing.T) {
	for _, objective := range Objectives() {
		m, data := trained(t, objective, 12)
		m.provenance = json.RawMessage(`{"command":"train <x> & y"}`)
		if err := m.SetTau(0.75); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.rcvae")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Config(), m.Config()) || !reflect.DeepEqual(got.Summary(), m.Summary().timeless()) ||
			got.Calibration() != m.Calibration() || got.Fingerprint() != m.Fingerprint() {
			t.Errorf("%s: a loaded model differs from the saved one", objective)
		}
		want, err := m.Posteriors(data.Questions[1], data.Solutions[:7])
		if err != nil {
			t.Fatal(err)
		}
		if p, err := got.Posteriors(data.Questions[1], data.Solutions[:7]); err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%s: posteriors of a loaded model differ (%v)", objective, err)
		}
	}
}

// TestFlippedBit damages a file at every place of its header and at many of its
// tensors.
func TestFlippedBit(t *testing.T) {
	m, _ := trained(t, Contrastive, 12)
	file, err := m.encodeFile()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(file); err != nil {
		t.Fatal(err)
	}
	headerEnd := len(file) - 4*(len(m.params)+4*12+len(m.domain.whitening))
	for i := 0; i < len(file); i++ {
		if i > headerEnd {
			i += 61
		}
		if i >= len(file) {
			break
		}
		for _, bit := range []int{i % 8, 5} { // bit 5 is the case of a letter
			file[i] ^= 1 << bit
			if _, err := Decode(file); err == nil {
				t.Errorf("bit %d of byte %d of %d (header to %d) flipped: no error", bit, i, len(file), headerEnd)
			}
			file[i] ^= 1 << bit
		}
	}
	for _, n := range []int{0, 7, headerEnd, len(file) - 1} {
		if _, err := Decode(file[:n]); err == nil {
			t.Errorf("file cut at %d of %d bytes: no error", n, len(file))
		}
	}
}

func TestLoadExplains(t *testing.T) {
	m, _ := trained(t, Contrastive, 12)
	file, err := m.encodeFile()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := safetensors.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	newer := &safetensors.File{Tensors: parsed.Tensors, Metadata: map[string]string{
		metadataKey: strings.Replace(parsed.Metadata[metadataKey], `"format":1`, `"format":2`, 1)}}
	plain := &safetensors.File{Tensors: parsed.Tensors}
	for want, f := range map[string]*safetensors.File{
		"format version 2 is unknown, this program reads version 1": newer,
		"is not a model of rcvae":                                   plain,
	} {
		data, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode() = %v, want %q", err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "damaged.rcvae")
	file[len(file)-1] ^= 1
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("Load() = %v, want the path and that the file is damaged", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of nothing = %v, want a not-exist error", err)
	}
}

// TestPythonOpensModel reads a model with the safetensors package for Python.
func TestPythonOpensModel(t *testing.T) {
	if err := exec.Command("python3", "-c", "import safetensors.numpy").Run(); err != nil {
		t.Skip("needs python3 with safetensors and numpy")
	}
	m, _ := trained(t, Contrastive, 12)
	path := filepath.Join(t.TempDir(), "model.rcvae")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	script := `import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], "numpy") as f:
    print(f.get_tensor("encoder.0.weight").shape, json.loads(f.metadata()["rcvae"])["config"]["objective"])`
	out, err := exec.Command("python3", "-c", script, path).CombinedOutput()
	if got, want := strings.TrimSpace(string(out)), "(16, 24) contrastive"; err != nil || got != want {
		t.Errorf("python3 prints %q (%v), want %q", got, err, want)
	}
}

// FuzzDecode checks that what is accepted encodes to a file that is accepted and
// encodes to the same bytes again, and gives no NaN. Since the checksum would
// refuse nearly everything, the input is also tried with its checksum put right.
func FuzzDecode(f *testing.F) {
	for _, objective := range []string{Contrastive, Paper} {
		c := small(objective, 3)
		c.Latent, c.Hidden, c.Epochs = 2, []int{2}, 1
		file, err := train(f, c, synthetic(12, 4, 3, 1), Options{Workers: 1}).encodeFile()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
		f.Add(file[:len(file)-1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, reseal(data)} {
			m, err := Decode(data)
			if err != nil {
				continue
			}
			again, err := m.encodeFile()
			if err != nil {
				t.Fatal(err)
			}
			second, err := Decode(again)
			if err != nil {
				t.Fatalf("an accepted model is refused after it was encoded: %v", err)
			}
			if third, err := second.encodeFile(); err != nil || !bytes.Equal(third, again) {
				t.Errorf("a model encodes to other bytes the second time (%v)", err)
			}
			question := make(rcvae.Embedding, m.config.Dimension)
			posteriors, err := m.Posteriors(question, []rcvae.Embedding{question})
			if err == nil && math.IsNaN(posteriors[0].KL()) {
				t.Errorf("posterior = %v, want finite numbers or an error", posteriors[0])
			}
			familiar, err := m.Familiarity(question, []rcvae.Embedding{question})
			if err == nil && !(familiar[0] >= 0 && familiar[0] <= 1) {
				t.Errorf("familiarity = %v, want 0 to 1 or an error", familiar[0])
			}
		}
	})
}

// reseal returns the file with the checksum that its content calls for.
func reseal(data []byte) []byte {
	file, err := safetensors.Decode(data)
	if err != nil {
		return nil
	}
	document := file.Metadata[metadataKey]
	var h header
	if err := json.Unmarshal([]byte(document), &h); err != nil || h.SHA256 == "" {
		return nil
	}
	blank := strings.Replace(document, `"sha256":"`+h.SHA256+`"`, `"sha256":""`, 1)
	file.Metadata[metadataKey] = strings.Replace(blank, `"sha256":""`, `"sha256":"`+checksum(blank, file.Tensors)+`"`, 1)
	out, err := file.Encode()
	if err != nil {
		return nil
	}
	return out
}
