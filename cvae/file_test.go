package cvae

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"rcvae"
	"rcvae/internal/safetensors"
)

func TestSaveLoad(t *testing.T) {
	for _, objective := range Objectives() {
		m, data := trained(t, objective, 12)
		m.provenance = json.RawMessage(`{"command":"train <x> & y"}`)
		calibration := m.Info().Calibration
		calibration.Tau = 0
		m = m.WithCalibration(calibration)
		path := filepath.Join(t.TempDir(), "model.rcvae")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Config(), m.Config()) || !reflect.DeepEqual(got.Summary(), m.Summary().timeless()) ||
			!reflect.DeepEqual(got.Info(), m.Info()) {
			t.Errorf("%s: a loaded model differs from the saved one", objective)
		}
		var command struct{ Command string }
		if err := json.Unmarshal(got.Provenance(), &command); err != nil || command.Command != "train <x> & y" {
			t.Errorf("%s: provenance = %s (%v)", objective, got.Provenance(), err)
		}
		want := fmt.Sprint(infer(t, m, data[1].Embedding, data[1].Solutions)) // NaN is not equal to itself
		if p := fmt.Sprint(infer(t, got, data[1].Embedding, data[1].Solutions)); p != want {
			t.Errorf("%s: inferences of a loaded model differ", objective)
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
	headerEnd := len(file) - 4*(len(m.params)+4*12+len(m.whitening.rows))
	for i := 0; i < len(file); i++ {
		if i > headerEnd {
			i += 61
		}
		if i >= len(file) {
			break
		}
		for bit := range 8 {
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
	older := &safetensors.File{Tensors: parsed.Tensors, Metadata: map[string]string{
		metadataKey: strings.Replace(parsed.Metadata[metadataKey], `"format":2`, `"format":1`, 1)}}
	plain := &safetensors.File{Tensors: parsed.Tensors}
	for want, f := range map[string]*safetensors.File{
		"format version 1, this program reads version 2: train the model again": older,
		"is not a model of rcvae": plain,
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
		file, err := run(f, c, synthetic(12, 4, 3, 1), Options{Workers: 1}).encodeFile()
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
			checkInference(t, m)
		}
	})
}

// checkInference infers one candidate.
func checkInference(t *testing.T, m *Model) {
	t.Helper()
	question := make(rcvae.Embedding, m.config.Dimension)
	out, err := m.Infer(question, []rcvae.Solution{{Embedding: question, Signals: make([]float64, len(m.config.Signals))}}, false)
	if err != nil {
		return
	}
	if in := out[0].InDistribution; math.IsNaN(out[0].Posterior.KL()) || !(in >= 0 && in <= 1) {
		t.Errorf("inference = %v, want finite numbers or an error", out[0])
	}
}

// reseal returns the file with the checksum that its content calls for.
func reseal(data []byte) []byte {
	file, err := safetensors.Decode(data)
	if err != nil || file.Metadata == nil {
		return nil
	}
	file.Metadata[checksumKey] = checksum(file)
	out, err := file.Encode()
	if err != nil {
		return nil
	}
	return out
}

// TestResaved: a file that another program saved, with the same content in another
// layout, is the same model.
func TestResaved(t *testing.T) {
	m, _ := trained(t, Contrastive, 12)
	file, err := m.encodeFile()
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(file)
	spaced := binary.LittleEndian.AppendUint64(nil, n+16)
	spaced = append(append(append(spaced, file[8:8+n]...), strings.Repeat(" ", 16)...), file[8+n:]...)
	if _, err := Decode(spaced); err != nil {
		t.Errorf("Decode of a file with a longer header = %v", err)
	}
}

// TestDecodeAllocatesLittle decodes a small file whose likelihoods would need much.
func TestDecodeAllocatesLittle(t *testing.T) {
	c := small(Paper, 1)
	c.Latent, c.IWAESamples, c.Hidden = 1<<14, 4096, nil
	file, err := untrained(t, c).encodeFile()
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Decode(file); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, 8*uint64(len(file)); got > limit {
		t.Errorf("decoding %d bytes allocates %d, want at most %d", len(file), got, limit)
	}
}
