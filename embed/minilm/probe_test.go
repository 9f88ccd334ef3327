package minilm

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"rcvae/embed"
	"rcvae/embed/encoder"
	"rcvae/internal/mapped"
	"rcvae/internal/safetensors"
)

// coarse returns the weights with values of fewer bits.
func coarse(t *testing.T, bits int) []byte {
	t.Helper()
	file, err := safetensors.Decode(slices.Clone(weights))
	if err != nil {
		t.Fatal(err)
	}
	step := math.Exp2(float64(8 - bits))
	for _, tensor := range file.Tensors {
		if tensor.DType != "I8" {
			continue
		}
		for i, v := range tensor.Data {
			rounded := math.RoundToEven(float64(int8(v))/step) * step
			tensor.Data[i] = byte(int8(min(rounded, 127)))
		}
	}
	data, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// halved returns the weights with their float32 values, the scales of all others among
// them, rounded to bfloat16.
func halved(t *testing.T) []byte {
	t.Helper()
	file, err := safetensors.Decode(slices.Clone(weights))
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range file.Tensors {
		if tensor.DType == "I8" {
			continue
		}
		values, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range values {
			values[j] = math.Float32frombits((math.Float32bits(v) + 1<<15) &^ (1<<16 - 1))
		}
		file.Tensors[i] = safetensors.Float32s(tensor.Name, tensor.Shape, values)
	}
	data, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The threshold of the probes stands between other arithmetic and other functions, on a
// real model.
func TestProbesOnARealModel(t *testing.T) {
	probe := func(weights, config []byte, change func(*encoder.Options)) embed.Probes {
		o := encoder.Options{Pooling: encoder.PoolMean, MaxTokens: 512}
		if change != nil {
			change(&o)
		}
		m, err := encoder.OpenFS(mapped.Memory{"model.safetensors": weights, "config.json": config, "vocab.txt": vocabulary}, o)
		if err != nil {
			t.Fatal(err)
		}
		p, err := embed.Probe(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	base := probe(weights, config, nil)
	tanh := bytes.Replace(config, []byte(`"gelu"`), []byte(`"gelu_new"`), 1)
	if bytes.Equal(tanh, config) {
		t.Fatal("the activation is not replaced")
	}
	for _, tt := range []struct {
		name    string
		weights []byte
		config  []byte
		change  func(*encoder.Options)
		same    bool
	}{
		{"tanh instead of erf", weights, tanh, nil, true},
		{"bfloat16", halved(t), config, nil, true},
		{"7 bits", coarse(t, 7), config, nil, false},
		{"5 bits", coarse(t, 5), config, nil, false},
		{"4 bits", coarse(t, 4), config, nil, false},
		{"256 tokens", weights, config, func(o *encoder.Options) { o.MaxTokens = 256 }, false},
		{"the ends of long texts", weights, config, func(o *encoder.Options) { o.KeepEnds = true }, false},
		{"first token", weights, config, func(o *encoder.Options) { o.Pooling = encoder.PoolCLS }, false},
		{"last token", weights, config, func(o *encoder.Options) { o.Pooling = encoder.PoolLast }, false},
		{"prefix of questions", weights, config, func(o *encoder.Options) { o.QuestionPrompt = "query: " }, false},
		{"prefix of solutions", weights, config, func(o *encoder.Options) { o.SolutionPrompt = "passage: " }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			least, err := base.Compare(probe(tt.weights, tt.config, tt.change))
			if (err == nil) != tt.same {
				t.Errorf("least cosine %v, %v, want one function: %v", least, err, tt.same)
			}
			t.Logf("least cosine %.6f, %v", least, err)
		})
	}
}
