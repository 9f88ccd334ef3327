package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae/internal/safetensors"
)

// raw puts a file together from a header and its data.
func raw(header, body string) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), body...)
}

func equal(a, b *safetensors.File) bool {
	return (len(a.Metadata) == 0 && len(b.Metadata) == 0 || maps.Equal(a.Metadata, b.Metadata)) &&
		slices.EqualFunc(a.Tensors, b.Tensors, func(x, y safetensors.Tensor) bool {
			return x.Name == y.Name && x.DType == y.DType && slices.Equal(x.Shape, y.Shape) && bytes.Equal(x.Data, y.Data)
		})
}

// The golden file comes from the reference implementation, see
// tools/golden/safetensors_golden.py.
func TestReference(t *testing.T) {
	f, err := safetensors.ReadFile(filepath.Join("testdata", "reference.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Metadata["note"], `ß "<&>"`; got != want {
		t.Errorf("metadata note = %q, want %q", got, want)
	}
	want := []float32{0, float32(math.Copysign(0, -1)), 1, -2.5, 0.00006103515625, 240}
	for _, name := range []string{"f64", "f32", "f16", "bf16"} {
		checkFloats(t, f, name, []int{2, 3}, want)
	}
	checkFloats(t, f, "f16_subnormal", []int{2}, []float32{1.0 / (1 << 24), -1023.0 / (1 << 24)})
	checkFloats(t, f, "scalar", nil, []float32{7})
	checkFloats(t, f, "empty", []int{0, 4}, nil)
	for name, data := range map[string][]byte{
		"i8":   {0x80, 0x7f},
		"bool": {1, 0, 1},
		"i64":  {255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 1, 0, 0},
	} {
		tensor, err := f.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(tensor.Data, data) {
			t.Errorf("%s = %v, want %v", name, tensor.Data, data)
		}
		if _, err := tensor.Float32(); err == nil {
			t.Errorf("%s.Float32() succeeds, want an error for integers", name)
		}
	}
}

func checkFloats(t *testing.T, f *safetensors.File, name string, shape []int, want []float32) {
	t.Helper()
	tensor, err := f.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	same := slices.EqualFunc(got, want, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
	if !same || !slices.Equal(tensor.Shape, shape) {
		t.Errorf("%s = %v of shape %v, want %v of shape %v", name, got, tensor.Shape, want, shape)
	}
}

// Every half-precision number is an exact float32.
func TestFloat16(t *testing.T) {
	for h := range 1 << 16 {
		data := binary.LittleEndian.AppendUint16(nil, uint16(h))
		got, err := safetensors.Tensor{Name: "h", DType: "F16", Data: data}.Float32()
		exponent, fraction := h>>10&31, float64(h&1023)
		if exponent == 31 {
			if err == nil || !strings.Contains(err.Error(), `"h": element 0`) {
				t.Fatalf("%#04x: error = %v, want one that names the element", h, err)
			}
			continue
		}
		want := math.Ldexp(1+fraction/1024, exponent-15)
		if exponent == 0 {
			want = math.Ldexp(fraction, -24)
		}
		if h>>15 == 1 {
			want = -want
		}
		if err != nil || math.Float64bits(float64(got[0])) != math.Float64bits(want) {
			t.Fatalf("%#04x = %v, %v, want %v", h, got, err, want)
		}
	}
}

func TestFloat32RefusesNonFinite(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, bad := range []float32{inf, -inf, float32(math.NaN())} {
		tensor := safetensors.Float32s("w", []int{3}, []float32{0, 1, bad})
		if _, err := tensor.Float32(); err == nil || !strings.Contains(err.Error(), `"w": element 2`) {
			t.Errorf("%v: error = %v, want one that names tensor and element", bad, err)
		}
	}
	big := safetensors.Tensor{DType: "F64", Shape: []int{1}, Data: binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300))}
	if _, err := big.Float32(); err == nil {
		t.Error("1e300 fits into float32, want an error")
	}
}

func TestEncodeAlignsData(t *testing.T) {
	for n := range 20 {
		f := &safetensors.File{
			Metadata: map[string]string{"k": strings.Repeat("x", n)},
			Tensors:  []safetensors.Tensor{safetensors.Float32s("w", []int{1}, []float32{1})},
		}
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if (len(b)-4)%8 != 0 {
			t.Errorf("data begins at byte %d, want a multiple of 8", len(b)-4)
		}
		got, err := safetensors.Decode(b)
		if err != nil || !equal(got, f) {
			t.Errorf("decoded %v, %v, want %v", got, err, f)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	w := safetensors.Float32s("w", []int{1}, []float32{1})
	long := w
	long.Data = make([]byte, 5)
	tests := map[string]safetensors.File{
		"name twice":       {Tensors: []safetensors.Tensor{w, w}},
		"reserved name":    {Tensors: []safetensors.Tensor{{Name: "__metadata__", DType: "U8", Shape: []int{0}}}},
		"size":             {Tensors: []safetensors.Tensor{long}},
		"type":             {Tensors: []safetensors.Tensor{{Name: "w", DType: "F31"}}},
		"negative":         {Tensors: []safetensors.Tensor{{Name: "w", DType: "F32", Shape: []int{-1, -1}, Data: make([]byte, 4)}}},
		"name not UTF-8":   {Tensors: []safetensors.Tensor{{Name: "\xff", DType: "U8", Shape: []int{0}}}},
		"value not UTF-8":  {Metadata: map[string]string{"k": "\xff"}},
		"overflowing size": {Tensors: []safetensors.Tensor{{Name: "w", DType: "F32", Shape: []int{1 << 40, 1 << 40}}}},
	}
	for name, f := range tests {
		if _, err := f.Encode(); err == nil {
			t.Errorf("%s: Encode() succeeds, want an error", name)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	entry := func(offsets string) string { return `{"w":{"dtype":"U8","shape":[2],"data_offsets":` + offsets + `}}` }
	tests := map[string]struct {
		data []byte
		want string // part of the error
	}{
		"empty":           {nil, "not a safetensors file"},
		"huge header":     {[]byte("\xff\xff\xff\xff\xff\xff\xff\x7f{}"), "at most"},
		"short header":    {[]byte("\xff\x00\x00\x00\x00\x00\x00\x00{}"), "truncated"},
		"not JSON":        {raw("x", ""), "not a JSON object"},
		"not UTF-8":       {raw("{\"\xff\":1}", ""), "UTF-8"},
		"truncated":       {raw(entry("[0,2]"), "a"), "truncated"},
		"rest":            {raw(entry("[0,2]"), "abc"), "after the last tensor"},
		"gap":             {raw(entry("[1,3]"), "abc"), "gap"},
		"backwards":       {raw(entry("[2,0]"), "ab"), "offsets"},
		"negative":        {raw(entry("[-1,1]"), "ab"), "not a size"},
		"fraction":        {raw(entry("[0,2.0]"), "ab"), "not a size"},
		"three offsets":   {raw(entry("[0,2,2]"), "ab"), "data_offsets"},
		"overflow":        {raw(entry("[0,99999999999999999999]"), "ab"), "not a size"},
		"null shape":      {raw(`{"w":{"dtype":"U8","shape":null,"data_offsets":[0,1]}}`, "a"), "shape"},
		"wrong size":      {raw(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,2]}}`, "ab"), "takes 4"},
		"unknown type":    {raw(`{"w":{"dtype":"Q4","shape":[1],"data_offsets":[0,2]}}`, "ab"), `"Q4"`},
		"unknown key":     {raw(`{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":1}}`, "ab"), `"x"`},
		"overlap":         {raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, "abc"), "overlap"},
		"tensor twice":    {raw(`{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""), "twice"},
		"key twice":       {raw(`{"w":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, ""), "twice"},
		"metadata twice":  {raw(`{"__metadata__":{"a":"1","a":"2"}}`, ""), "twice"},
		"metadata number": {raw(`{"__metadata__":{"a":1}}`, ""), "not a string"},
		"two objects":     {raw(`{}{}`, ""), "follows"},
	}
	for name, test := range tests {
		_, err := safetensors.Decode(test.data)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error = %v, want one with %q", name, err, test.want)
		}
	}
}

func TestReadFileNamesThePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := safetensors.ReadFile(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error = %v, want one that names %s", err, path)
	}
}

// What Decode accepts, Encode writes back without a loss.
func FuzzDecode(f *testing.F) {
	reference, err := os.ReadFile(filepath.Join("testdata", "reference.safetensors"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(reference)
	f.Add(raw(`{}`, ""))
	f.Add(raw(`{"__metadata__":{},"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}} `, "ab"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := safetensors.Decode(data)
		if err != nil {
			return
		}
		encoded, err := file.Encode()
		if err != nil {
			t.Fatalf("Encode() of a decoded file: %v", err)
		}
		again, err := safetensors.Decode(encoded)
		if err != nil {
			t.Fatalf("Decode() of an encoded file: %v", err)
		}
		if !equal(file, again) {
			t.Errorf("round trip gives %v, want %v", again, file)
		}
	})
}

func ExampleFile_Encode() {
	f := &safetensors.File{
		Metadata: map[string]string{"format_version": "1"},
		Tensors:  []safetensors.Tensor{safetensors.Float32s("bias", []int{2}, []float32{0.5, -1})},
	}
	b, err := f.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err = safetensors.Decode(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	bias, err := f.Lookup("bias")
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := bias.Float32()
	fmt.Println(f.Metadata["format_version"], bias.Shape, values, err)
	// Output: 1 [2] [0.5 -1] <nil>
}
