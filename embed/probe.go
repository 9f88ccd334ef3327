package embed

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"rcvae"
)

// ErrTooLong says that an embedder refuses a text that is longer than it reads instead of
// cutting it.
var ErrTooLong = errors.New("the text is too long for the embedder")

// SameFrom is the cosine from which on two embeddings of one text come from one function.
// Other arithmetic (float16, tanh instead of erf, 8-bit weights) stays above it on
// all-MiniLM-L6-v2; another prefix, pooling, limit of tokens or 4-bit weights do not.
const SameFrom = 0.999

// AlikeFrom is the cosine from which on nothing need be said of the difference: kernels of
// two machines differ by less.
const AlikeFrom = 0.9998

// probesVersion changes with the texts.
const probesVersion = 1

// Probes are the embeddings of fixed texts, which tell whether two embedders compute one
// function whatever they are called: a blank and a letter show prefixes and special
// tokens, long texts show where they are cut, other scripts and code show the tokenizer.
type Probes struct {
	Version int
	Vectors []rcvae.Embedding // nil: the embedder refused the text, see [ErrTooLong]
}

// probe is one fixed text.
type probe struct {
	name string
	role rcvae.Role
	text string
}

func probeList() []probe {
	q, s := rcvae.RoleQuestion, rcvae.RoleSolution
	return []probe{
		{"a blank", q, " "},
		{"a blank", s, " "},
		{"one letter", q, "a"},
		{"one letter", s, "a"},
		{"a question", q, "A shelf holds 14 red books and twice as many blue ones. How many books are on it?"},
		{"a solution", s, "There are 2 * 14 = 28 blue books.\n\n14 + 28 = 42\n\nThe answer is \\boxed{42}."},
		{"LaTeX", s, `Since $\frac{d}{dx}\sin^2 x = 2\sin x\cos x$, we get \[\int_0^{\pi/2} 2\sin x\cos x\,dx = 1.\]`},
		{"code", s, "def area(r):\n\treturn 3.14159 * r**2  # in cm²\n\nprint(f\"{area(2):.2f}\")\n"},
		{"upper case", s, "NOTE: THE TRAIN LEAVES AT 9:45 AND NOT AT 10:15."},
		{"other scripts", s, "Площадь круга равна πr². 三角形の内角の和は180度です。 مجموع الزوايا ١٨٠. Größe: ﬁne naïve café 👩‍🔬"},
		{"digits", s, "1234567890 - 987654321 = 246913569; 0.1 + 0.2 ≈ 0.30000000000000004"},
		{"about 300 words", s, steps(25)},
		{"about 300 words", q, steps(25)},
		{"about 1,500 words", s, steps(125)},
	}
}

// shortProbes is how many probes come before the first that may be too long.
const shortProbes = 11

// steps returns a text of twelve words for each step, no two of them alike.
func steps(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Step %d: adding %d to what we had so far gives %d. ", i+1, 2*i+1, (i+1)*(i+1))
	}
	return b.String()
}

func (p probe) input() rcvae.Text {
	t := rcvae.Text{Role: p.role, Text: p.text}
	if p.role == rcvae.RoleSolution {
		t.Question = "How many are there in all?"
	}
	return t
}

// Probe embeds the fixed texts.
func Probe(ctx context.Context, e rcvae.Embedder) (Probes, error) {
	list := probeList()
	texts := make([]rcvae.Text, len(list))
	for i, p := range list {
		texts[i] = p.input()
	}
	vectors, err := Checked(e).Embed(ctx, texts[:shortProbes])
	if err != nil {
		return Probes{}, fmt.Errorf("embed the probe texts: %w", err)
	}
	for i := shortProbes; i < len(list); i++ {
		one, err := Checked(e).Embed(ctx, texts[i:i+1])
		if errors.Is(err, ErrTooLong) {
			one, err = []rcvae.Embedding{nil}, nil
		}
		if err != nil {
			return Probes{}, fmt.Errorf("embed the probe text of %s: %w", list[i].name, err)
		}
		vectors = append(vectors, one[0])
	}
	return Probes{probesVersion, vectors}, nil
}

// Compare returns the least cosine between the embeddings of one text, and an error that
// names the text if it is below [SameFrom], if one embedder refuses what the other takes,
// or if their dimensions differ.
func (p Probes) Compare(q Probes) (least float64, err error) { return p.CompareFrom(q, SameFrom) }

// CompareFrom is [Probes.Compare] with another cosine in the place of [SameFrom].
func (p Probes) CompareFrom(q Probes, from float64) (least float64, err error) {
	if p.Version != q.Version || len(p.Vectors) != len(q.Vectors) {
		return 0, fmt.Errorf("the probe texts have versions %d and %d: train the model again", p.Version, q.Version)
	}
	list := probeList()
	if p.Version != probesVersion || len(p.Vectors) != len(list) {
		return 0, fmt.Errorf("the probe texts have version %d, this program has version %d: train the model again", p.Version, probesVersion)
	}
	least, at := 1.0, 0
	for i, v := range p.Vectors {
		w := q.Vectors[i]
		what := fmt.Sprintf("probe %q as a %v", list[i].name, list[i].role)
		switch {
		case v == nil && w == nil:
			continue
		case v == nil || w == nil:
			return 0, fmt.Errorf("%s: only one of the two refuses it as too long", what)
		case len(v) != len(w):
			return 0, fmt.Errorf("%s: %d and %d dimensions", what, len(v), len(w))
		}
		if c := cosine(v, w); !(c >= least) {
			least, at = c, i
		}
	}
	if !(least >= from) {
		return least, fmt.Errorf("probe %q as a %v: cosine %.4f, want at least %v", list[at].name, list[at].role, least, from)
	}
	return least, nil
}

// cosine returns the cosine of the angle between two vectors, NaN if one is zero.
func cosine(a, b rcvae.Embedding) float64 {
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	return dot / math.Sqrt(aa*bb)
}

// storedProbes is the form of [Probes] in JSON: a vector is the base64 of little-endian
// bfloat16 values, null where the text was refused.
type storedProbes struct {
	Version int       `json:"version"`
	Vectors []*string `json:"vectors"`
}

// MarshalJSON rounds the values to bfloat16, which leaves cosines within 1e-5.
func (p Probes) MarshalJSON() ([]byte, error) {
	out := storedProbes{p.Version, make([]*string, len(p.Vectors))}
	for i, v := range p.Vectors {
		if v == nil {
			continue
		}
		var data []byte
		for _, x := range v {
			data = binary.LittleEndian.AppendUint16(data, uint16((math.Float32bits(x)+1<<15)>>16))
		}
		text := base64.StdEncoding.EncodeToString(data)
		out.Vectors[i] = &text
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what [Probes.MarshalJSON] wrote.
func (p *Probes) UnmarshalJSON(data []byte) error {
	var in storedProbes
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	p.Version, p.Vectors = in.Version, make([]rcvae.Embedding, len(in.Vectors))
	for i, text := range in.Vectors {
		if text == nil {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(*text)
		if err != nil || len(raw)%2 != 0 || len(raw) == 0 {
			return fmt.Errorf("probe vector %d is damaged", i+1)
		}
		v := make(rcvae.Embedding, len(raw)/2)
		for j := range v {
			v[j] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*j:])) << 16)
		}
		p.Vectors[i] = v
	}
	return nil
}
