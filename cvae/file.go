package cvae

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"rcvae"
	"rcvae/internal/atomicfile"
	"rcvae/internal/safetensors"
)

const (
	formatVersion = 2
	metadataKey   = "rcvae"        // holds the header
	checksumKey   = "rcvae.sha256" // holds the checksum of everything else
	maxFile       = 2 << 30        // bytes; larger files are not models
	kindModel     = "model"
	kindTrainer   = "trainer"
)

// header is the JSON document in the file's metadata.
type header struct {
	Format      int                `json:"format"`
	Kind        string             `json:"kind"`
	Config      Config             `json:"config"`
	Objective   Objective          `json:"objective"`
	Fingerprint rcvae.Fingerprint  `json:"embedder"`
	Record      json.RawMessage    `json:"embedder_record,omitempty"`
	Calibration *rcvae.Calibration `json:"calibration,omitempty"` // of models
	Summary     *Summary           `json:"summary,omitempty"`     // of models
	State       *state             `json:"state,omitempty"`       // of trainers
	Provenance  json.RawMessage    `json:"provenance,omitempty"`
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
	if err := checkCalibration(m.calibration); err != nil {
		return nil, err
	}
	calibration, summary := m.calibration, m.summary.timeless()
	return encodeFile(header{Kind: kindModel, Config: m.config, Objective: m.objective, Fingerprint: m.fingerprint,
		Calibration: &calibration, Summary: &summary, Record: m.record, Provenance: m.provenance}, m.tensors())
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

// Decode returns the model whose file has the given bytes. Of a small file nothing
// large is allocated.
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
	if err := checkCalibration(*h.Calibration); err != nil {
		return nil, fmt.Errorf("%w: train again", err)
	}
	params, in, err := readTensors(file, h.Config, h.Objective)
	if err != nil {
		return nil, err
	}
	m := newModel(h.Objective, params, in)
	m.fingerprint, m.summary, m.calibration, m.record, m.provenance = h.Fingerprint, *h.Summary, *h.Calibration, h.Record, h.Provenance
	m.whitening, err = readWhitening(file, h.Config.elements(), m.calibration)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// encodeFile returns the bytes of a file of the given header and tensors.
func encodeFile(h header, tensors []safetensors.Tensor) ([]byte, error) {
	h.Format = formatVersion
	document, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	file := safetensors.File{Metadata: map[string]string{metadataKey: string(document)}, Tensors: tensors}
	file.Metadata[checksumKey] = checksum(&file)
	return file.Encode()
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
		return h, nil, fmt.Errorf("the file has format version %d, this program reads version %d: train the model again, or use the rcvae that wrote it", version.Format, formatVersion)
	}
	if checksum(file) != file.Metadata[checksumKey] {
		return h, nil, errors.New("checksum differs: the file is damaged; copy it again, or train again")
	}
	if err := json.Unmarshal([]byte(document), &h); err != nil {
		return h, nil, fmt.Errorf("metadata: %w", err)
	}
	if err := h.Config.validate(h.Objective, nil); err != nil {
		return h, nil, err
	}
	return h, file, nil
}

// checksum returns the SHA-256 over the metadata but for the checksum itself, and over
// the tensors' names, types, shapes and bytes, each with its length.
func checksum(file *safetensors.File) string {
	sum := sha256.New()
	write := func(b []byte) {
		sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(b))))
		sum.Write(b)
	}
	for _, key := range slices.Sorted(maps.Keys(file.Metadata)) {
		if key != checksumKey {
			write([]byte(key))
			write([]byte(file.Metadata[key]))
		}
	}
	for _, t := range file.Tensors {
		write([]byte(t.Name))
		write([]byte(t.DType))
		write([]byte(fmt.Sprint(t.Shape)))
		write(t.Data)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
