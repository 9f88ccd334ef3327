package cvae

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"rcvae"
	"rcvae/internal/atomicfile"
	"rcvae/internal/safetensors"
)

const (
	formatVersion = 1
	metadataKey   = "rcvae"
	maxFile       = 2 << 30 // bytes; larger files are not models
	kindModel     = "model"
	kindTrainer   = "trainer"
)

// header is the JSON document in the file's metadata. SHA256 covers the tensors
// and this document, with SHA256 itself blank.
type header struct {
	Format      int                `json:"format"`
	Kind        string             `json:"kind"`
	Config      Config             `json:"config"`
	Fingerprint rcvae.Fingerprint  `json:"embedder"`
	Calibration *rcvae.Calibration `json:"calibration,omitempty"` // of models
	Summary     *Summary           `json:"summary,omitempty"`     // of models
	State       *state             `json:"state,omitempty"`       // of trainers
	Provenance  json.RawMessage    `json:"provenance,omitempty"`
	SHA256      string             `json:"sha256"`
}

// Save writes the model to a safetensors file, which it replaces as a whole.
func (m *Model) Save(path string) error {
	data, err := m.encodeFile()
	if err == nil {
		err = writeFile(path, data)
	}
	if err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	return nil
}

func writeFile(path string, data []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func (m *Model) encodeFile() ([]byte, error) {
	calibration, summary := m.calibration, m.summary.timeless()
	tensors := append(paramTensors(m.net, "", m.params), standardizerTensors(m.q, m.r)...)
	if m.domain != nil {
		tensors = append(tensors, m.domain.tensor())
	}
	return encodeFile(header{Kind: kindModel, Config: m.config, Fingerprint: m.fingerprint,
		Calibration: &calibration, Summary: &summary, Provenance: m.provenance}, tensors)
}

// Load reads a model that [Model.Save] wrote. Anything that was changed since is an error.
func Load(path string) (*Model, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	m, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("load model %s: %w", path, err)
	}
	return m, nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, a model at most %d", path, info.Size(), int64(maxFile))
	}
	return os.ReadFile(path)
}

// Decode returns the model whose file has the given bytes.
func Decode(data []byte) (*Model, error) {
	h, file, err := decodeFile(data)
	if err != nil {
		return nil, err
	}
	if h.Kind == kindTrainer {
		return nil, errors.New("this is the checkpoint of an unfinished training, not a model: finish it with train --resume")
	}
	if h.Kind != kindModel || h.Summary == nil || h.Calibration == nil {
		return nil, fmt.Errorf("file of kind %q is not a whole model", h.Kind)
	}
	params, q, r, err := readTensors(file, h.Config)
	if err != nil {
		return nil, err
	}
	domain, err := readDomain(file, h.Config.Dimension, *h.Calibration)
	if err != nil {
		return nil, err
	}
	m := newModel(h.Config, params, q, r)
	m.domain = domain
	m.fingerprint, m.summary, m.calibration, m.provenance = h.Fingerprint, *h.Summary, *h.Calibration, h.Provenance
	return m, nil
}

// encodeFile returns the bytes of a file of the given header and tensors.
func encodeFile(h header, tensors []safetensors.Tensor) ([]byte, error) {
	h.Format, h.SHA256 = formatVersion, ""
	blank, err := marshal(h)
	if err != nil {
		return nil, err
	}
	h.SHA256 = checksum(blank, tensors)
	document, err := marshal(h)
	if err != nil {
		return nil, err
	}
	file := safetensors.File{Metadata: map[string]string{metadataKey: document}, Tensors: tensors}
	return file.Encode()
}

func marshal(h header) (string, error) {
	b, err := json.Marshal(h)
	if err != nil {
		return "", fmt.Errorf("encode metadata: %w", err)
	}
	return string(b), nil
}

// decodeFile checks the bytes of a file and returns what is in it.
func decodeFile(data []byte) (header, *safetensors.File, error) {
	var h header
	file, err := safetensors.Decode(data)
	if err != nil {
		return h, nil, err
	}
	document, ok := file.Metadata[metadataKey]
	if !ok {
		return h, nil, fmt.Errorf("safetensors file without the metadata entry %q is not a model of rcvae: make one with train", metadataKey)
	}
	var version struct{ Format int }
	if err := json.Unmarshal([]byte(document), &version); err != nil {
		return h, nil, fmt.Errorf("metadata: %w", err)
	}
	if version.Format != formatVersion {
		return h, nil, fmt.Errorf("format version %d is unknown, this program reads version %d: use the rcvae that wrote it, or train again", version.Format, formatVersion)
	}
	if err := json.Unmarshal([]byte(document), &h); err != nil {
		return h, nil, fmt.Errorf("metadata: %w", err)
	}
	blank := strings.Replace(document, `"sha256":"`+h.SHA256+`"`, `"sha256":""`, 1)
	if blank == document || checksum(blank, file.Tensors) != h.SHA256 {
		return h, nil, errors.New("checksum differs: the file is damaged; copy it again, or train again")
	}
	// The checksum covers the content; this covers the few bytes around it.
	if again, err := file.Encode(); err != nil || !bytes.Equal(again, data) {
		return h, nil, errors.New("header is not as rcvae writes it: the file is damaged or was re-saved by another program; copy it again, or train again")
	}
	if err := h.Config.Validate(); err != nil {
		return h, nil, err
	}
	return h, file, nil
}

// checksum returns the SHA-256 over the document and the tensors' names, types,
// shapes and bytes, each with its length.
func checksum(document string, tensors []safetensors.Tensor) string {
	sum := sha256.New()
	write := func(b []byte) {
		sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(b))))
		sum.Write(b)
	}
	write([]byte(document))
	for _, t := range tensors {
		write([]byte(t.Name))
		write([]byte(t.DType))
		write([]byte(fmt.Sprint(t.Shape)))
		write(t.Data)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// paramTensors returns a vector as one tensor a parameter.
func paramTensors(net *network, prefix string, flat []float32) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, v := range net.layout.Views() {
		out = append(out, safetensors.Float32s(prefix+v.Name, v.Shape, v.Of(flat)))
	}
	return out
}

func standardizerTensors(q, r standardizer) []safetensors.Tensor {
	shape := []int{len(q.mean)}
	return []safetensors.Tensor{
		safetensors.Float32s("standardize.q.mean", shape, q.mean), safetensors.Float32s("standardize.q.scale", shape, q.scale),
		safetensors.Float32s("standardize.r.mean", shape, r.mean), safetensors.Float32s("standardize.r.scale", shape, r.scale),
	}
}

// readTensors returns the parameters and standardisation of a file.
func readTensors(file *safetensors.File, c Config) (params []float32, q, r standardizer, err error) {
	// Of a small file with a large config nothing large is allocated.
	net := newNetwork(c)
	total := 0
	for _, t := range file.Tensors {
		total += len(t.Data)
	}
	if total/4 < net.layout.Size() {
		return nil, q, r, fmt.Errorf("tensors of %d bytes are too few for the %d parameters of the config", total, net.layout.Size())
	}
	if params, err = readParams(file, net, ""); err != nil {
		return nil, q, r, err
	}
	if q, err = readStandardizer(file, "standardize.q", c.Dimension); err != nil {
		return nil, q, r, err
	}
	r, err = readStandardizer(file, "standardize.r", c.Dimension)
	return params, q, r, err
}

func readParams(file *safetensors.File, net *network, prefix string) ([]float32, error) {
	params := make([]float32, net.layout.Size())
	for _, v := range net.layout.Views() {
		values, err := readTensor(file, prefix+v.Name, v.Shape)
		if err != nil {
			return nil, err
		}
		copy(v.Of(params), values)
	}
	return params, nil
}

func readStandardizer(file *safetensors.File, name string, dimension int) (standardizer, error) {
	mean, err := readTensor(file, name+".mean", []int{dimension})
	if err != nil {
		return standardizer{}, err
	}
	scale, err := readTensor(file, name+".scale", []int{dimension})
	if err != nil {
		return standardizer{}, err
	}
	for j, s := range scale {
		if s <= 0 {
			return standardizer{}, fmt.Errorf("tensor %s.scale is %g at %d, not above 0", name, s, j)
		}
	}
	return newStandardizer(mean, scale), nil
}

func readTensor(file *safetensors.File, name string, shape []int) ([]float32, error) {
	t, err := file.Lookup(name)
	if err != nil {
		return nil, err
	}
	if t.DType != "F32" || fmt.Sprint(t.Shape) != fmt.Sprint(append([]int{}, shape...)) {
		return nil, fmt.Errorf("tensor %s is %s %v, the config needs F32 %v", name, t.DType, t.Shape, shape)
	}
	return t.Float32()
}
