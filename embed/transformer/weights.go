package transformer

import (
	"errors"
	"fmt"
	"strings"

	"rcvae/internal/safetensors"
)

// Config holds the sizes of an encoder.
type Config struct {
	Vocabulary   int     // V, word pieces
	Positions    int     // P, longest input in tokens
	Hidden       int     // H
	Heads        int     // A; H/A is the width of a head
	Intermediate int     // F, width of the feed-forward layer
	Layers       int     // number of layers
	Epsilon      float32 // of the layer norms
}

// Validate reports every bad field.
func (c Config) Validate() error {
	var errs []error
	for _, f := range []struct {
		name  string
		value int
	}{
		{"vocabulary", c.Vocabulary}, {"positions", c.Positions}, {"hidden", c.Hidden},
		{"heads", c.Heads}, {"intermediate", c.Intermediate}, {"layers", c.Layers},
	} {
		if f.value < 1 {
			errs = append(errs, fmt.Errorf("%s is %d, want at least 1", f.name, f.value))
		}
	}
	if c.Heads > 0 && c.Hidden%c.Heads != 0 {
		errs = append(errs, fmt.Errorf("hidden %d is not a multiple of heads %d", c.Hidden, c.Heads))
	}
	if !(c.Epsilon > 0) {
		errs = append(errs, fmt.Errorf("epsilon is %v, want a positive number", c.Epsilon))
	}
	return errors.Join(errs...)
}

// Linear is y = x·Weightᵀ + Bias.
type Linear struct {
	Weight []float32 // (out, in)
	Bias   []float32 // (out)
}

// Norm is a layer norm's scale and shift.
type Norm struct {
	Gamma, Beta []float32 // (H)
}

// Layer holds one transformer layer.
type Layer struct {
	Query, Key, Value, Attention Linear // (H, H)
	AttentionNorm                Norm
	Intermediate                 Linear // (F, H)
	Output                       Linear // (H, F)
	OutputNorm                   Norm
}

// Weights are an encoder's parameters.
type Weights struct {
	Words     []float32 // (V, H)
	Positions []float32 // (P, H)
	Type      []float32 // (H), of the first segment: texts are single segments
	Norm      Norm
	Layers    []Layer
}

// Lookup returns the values of the named tensor and checks its shape.
type Lookup func(name string, shape ...int) ([]float32, error)

// LoadWeights collects the weights of a BERT encoder under their Hugging Face names,
// without a prefix ("embeddings.word_embeddings.weight", …).
func LoadWeights(c Config, lookup Lookup) (Weights, error) {
	var errs []error
	get := func(name string, shape ...int) []float32 {
		values, err := lookup(name, shape...)
		errs = append(errs, err)
		return values
	}
	linear := func(name string, out, in int) Linear {
		return Linear{Weight: get(name+".weight", out, in), Bias: get(name+".bias", out)}
	}
	norm := func(name string) Norm {
		return Norm{Gamma: get(name+".weight", c.Hidden), Beta: get(name+".bias", c.Hidden)}
	}
	w := Weights{
		Words:     get("embeddings.word_embeddings.weight", c.Vocabulary, c.Hidden),
		Positions: get("embeddings.position_embeddings.weight", c.Positions, c.Hidden),
		Type:      get("embeddings.token_type_embeddings.weight", 2, c.Hidden),
		Norm:      norm("embeddings.LayerNorm"),
	}
	for i := range c.Layers {
		layer := fmt.Sprintf("encoder.layer.%d.", i)
		w.Layers = append(w.Layers, Layer{
			Query:         linear(layer+"attention.self.query", c.Hidden, c.Hidden),
			Key:           linear(layer+"attention.self.key", c.Hidden, c.Hidden),
			Value:         linear(layer+"attention.self.value", c.Hidden, c.Hidden),
			Attention:     linear(layer+"attention.output.dense", c.Hidden, c.Hidden),
			AttentionNorm: norm(layer + "attention.output.LayerNorm"),
			Intermediate:  linear(layer+"intermediate.dense", c.Intermediate, c.Hidden),
			Output:        linear(layer+"output.dense", c.Hidden, c.Intermediate),
			OutputNorm:    norm(layer + "output.LayerNorm"),
		})
	}
	if err := errors.Join(errs...); err != nil {
		return Weights{}, err
	}
	w.Type = w.Type[:c.Hidden]
	return w, nil
}

// FromSafetensors returns a [Lookup] in a safetensors file of float weights, whose
// names may have the prefix "bert.".
func FromSafetensors(file *safetensors.File) Lookup {
	prefix := ""
	for _, t := range file.Tensors {
		if strings.HasPrefix(t.Name, "bert.embeddings.") {
			prefix = "bert."
		}
	}
	return func(name string, shape ...int) ([]float32, error) {
		tensor, err := file.Lookup(prefix + name)
		if err != nil {
			return nil, err
		}
		if fmt.Sprint(tensor.Shape) != fmt.Sprint(shape) {
			return nil, fmt.Errorf("tensor %s has shape %v, want %v", tensor.Name, tensor.Shape, shape)
		}
		return tensor.Float32()
	}
}
