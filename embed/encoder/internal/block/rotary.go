package block

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
)

// Rotary turns pairs of a head's elements by angles that grow with the position. Element
// i is paired with element i + w/2 ("halves", as GPT-NeoX does).
type Rotary struct {
	inverse []float64 // (w/2), angle of one position
	factor  float64   // of cosines and sines; 1 but for yarn
	tables  atomic.Pointer[rotaryTable]
}

// rotaryTable holds the cosines and sines of the first positions.
type rotaryTable struct {
	positions int
	cos, sin  []float32 // (positions, w/2)
}

// RotaryScaling stretches rotary positions beyond the lengths of pre-training. The field
// names are those of Hugging Face's configurations.
type RotaryScaling struct {
	Type         string  `json:"rope_type"` // "", "default", "linear", "llama3", "yarn", "ntk"
	OldType      string  `json:"type"`      // the same, in older files
	Factor       float64 `json:"factor"`
	LowFreq      float64 `json:"low_freq_factor"`
	HighFreq     float64 `json:"high_freq_factor"`
	Original     float64 `json:"original_max_position_embeddings"`
	BetaFast     float64 `json:"beta_fast"`
	BetaSlow     float64 `json:"beta_slow"`
	Attention    float64 `json:"attention_factor"`
	MScale       float64 `json:"mscale"`
	MScaleAll    float64 `json:"mscale_all_dim"`
	NoTruncation *bool   `json:"truncate"`
	MixedB       any     `json:"mixed_b"`
}

// NewRotary returns the rotation of heads of the given width by angles
// position · base^(−2i/width), scaled.
func NewRotary(width int, base float64, scaling RotaryScaling) (*Rotary, error) {
	if width < 2 || width%2 != 0 || !(base > 1) || math.IsInf(base, 0) {
		return nil, fmt.Errorf("rotary positions of width %d and base %v: want an even width and a base above 1", width, base)
	}
	r := &Rotary{inverse: make([]float64, width/2), factor: 1}
	for i := range r.inverse {
		r.inverse[i] = math.Pow(base, -2*float64(i)/float64(width))
	}
	kind := scaling.Type
	if kind == "" {
		kind = scaling.OldType
	}
	if kind == "" || kind == "default" {
		return r, nil
	}
	if !(scaling.Factor >= 1) {
		return nil, fmt.Errorf("rotary scaling %q has factor %v, want at least 1", kind, scaling.Factor)
	}
	switch kind {
	case "linear":
		r.scaleLinear(scaling.Factor)
		return r, nil
	case "llama3":
		return r, r.scaleLlama3(scaling)
	case "yarn":
		return r, r.scaleYarn(width, base, scaling)
	case "ntk":
		return r, r.scaleNTK(width, base, scaling)
	}
	return nil, fmt.Errorf("rotary scaling %q is not supported: default, linear, llama3, yarn and ntk are", kind)
}

// Divide divides each frequency by a factor of its own, as GGUF files store scalings.
func (r *Rotary) Divide(factors []float32) error {
	if len(factors) != len(r.inverse) {
		return fmt.Errorf("%d factors of %d frequencies", len(factors), len(r.inverse))
	}
	for i, f := range factors {
		if !(f > 0) {
			return fmt.Errorf("factor %d of a frequency is %v, want a positive number", i, f)
		}
		r.inverse[i] /= float64(f)
	}
	return nil
}

func (r *Rotary) scaleLinear(factor float64) {
	for i := range r.inverse {
		r.inverse[i] /= factor
	}
}

// scaleLlama3 divides the low frequencies by the factor and leaves the high ones, with a
// smooth passage between them, as Llama 3.1 does.
func (r *Rotary) scaleLlama3(s RotaryScaling) error {
	if !(s.LowFreq > 0) || !(s.HighFreq > s.LowFreq) || !(s.Original > 0) {
		return errors.New("rotary scaling llama3 wants 0 < low_freq_factor < high_freq_factor and original_max_position_embeddings")
	}
	for i, f := range r.inverse {
		wavelength := 2 * math.Pi / f
		switch {
		case wavelength < s.Original/s.HighFreq:
		case wavelength > s.Original/s.LowFreq:
			r.inverse[i] = f / s.Factor
		default:
			smooth := (s.Original/wavelength - s.LowFreq) / (s.HighFreq - s.LowFreq)
			r.inverse[i] = (1-smooth)*f/s.Factor + smooth*f
		}
	}
	return nil
}

// scaleYarn follows Peng et al., "YaRN: Efficient Context Window Extension of Large
// Language Models" (2023).
func (r *Rotary) scaleYarn(width int, base float64, s RotaryScaling) error {
	if !(s.Original > 0) || s.MScale != 0 || s.MScaleAll != 0 {
		return errors.New("rotary scaling yarn wants original_max_position_embeddings and no mscale")
	}
	fast, slow := orDefault(s.BetaFast, 32), orDefault(s.BetaSlow, 1)
	dimension := func(rotations float64) float64 {
		return float64(width) * math.Log(s.Original/(rotations*2*math.Pi)) / (2 * math.Log(base))
	}
	low, high := dimension(fast), dimension(slow)
	if s.NoTruncation == nil || *s.NoTruncation {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(width-1))
	if low == high {
		high += 0.001
	}
	for i, f := range r.inverse {
		ramp := min(1, max(0, (float64(i)-low)/(high-low)))
		r.inverse[i] = f/s.Factor*ramp + f*(1-ramp)
	}
	r.factor = orDefault(s.Attention, 0.1*math.Log(s.Factor)+1)
	return nil
}

// scaleNTK is the fixed form of NTK-aware scaling that the GTE models have: the base times
// the factor, and all frequencies divided so that the last one is what linear scaling
// makes of it.
func (r *Rotary) scaleNTK(width int, base float64, s RotaryScaling) error {
	if s.MixedB != nil {
		return errors.New("rotary scaling ntk with mixed_b is not supported")
	}
	for i := range r.inverse {
		r.inverse[i] = math.Pow(base*s.Factor, -2*float64(i)/float64(width)) / math.Pow(s.Factor, 2/float64(width))
	}
	return nil
}

func orDefault(x, fallback float64) float64 {
	if x == 0 {
		return fallback
	}
	return x
}

// upTo returns the cosines and sines of at least n positions.
func (r *Rotary) upTo(n int) *rotaryTable {
	if t := r.tables.Load(); t != nil && t.positions >= n {
		return t
	}
	size := 512
	for size < n {
		size *= 2
	}
	half := len(r.inverse)
	t := &rotaryTable{positions: size, cos: make([]float32, size*half), sin: make([]float32, size*half)}
	for p := range size {
		for i, f := range r.inverse {
			sin, cos := math.Sincos(float64(p) * f)
			t.cos[p*half+i], t.sin[p*half+i] = float32(cos*r.factor), float32(sin*r.factor)
		}
	}
	r.tables.Store(t) // of two goroutines that get here, either's table is right
	return t
}

// turn rotates one head.
func (t *rotaryTable) turn(x []float32, position int) {
	half := len(x) / 2
	a, b := x[:half:half], x[half:2*half]
	cos, sin := t.cos[position*half:(position+1)*half], t.sin[position*half:(position+1)*half]
	for i, u := range a {
		v := b[i]
		a[i] = u*cos[i] - v*sin[i]
		b[i] = v*cos[i] + u*sin[i]
	}
}

// Turned returns a copy of one head's vector, turned to a position.
func (r *Rotary) Turned(x []float32, position int) []float32 {
	out := slices.Clone(x)
	r.upTo(position+1).turn(out, position)
	return out
}
