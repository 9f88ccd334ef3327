package remote

import (
	"math"
	"testing"
)

// Whatever a server answers, what is taken from it has unit length and the count and
// dimension that were asked for.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"index":1,"embedding":[1,2]},{"index":0,"embedding":"AACAPwAAAEA="}]}`, `{"data":[{"index":0,"embedding":null},{"index":0,"embedding":[1]}]}`,
		`[[1,2],[3,4]]`, `[[1e39]]`, `{"embeddings":[[0,0]]}`, `{"embeddings":[[1,2],[3]]}`, `{}`, `[`, `null`,
	} {
		f.Add([]byte(seed), 2)
	}
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		for _, p := range protocols() {
			vectors, err := p.read(data)
			e := &Embedder{client: &client{}}
			if err != nil || e.check(vectors, n) != nil {
				continue
			}
			if len(vectors) != n {
				t.Fatalf("%s: %d vectors for %d texts", p.kind, len(vectors), n)
			}
			for _, v := range vectors {
				u, err := unit(v)
				if err != nil {
					continue
				}
				var square float64
				for _, x := range u {
					square += float64(x) * float64(x)
				}
				if len(u) != len(v) || !(math.Abs(square-1) < 1e-4) {
					t.Fatalf("%s: %d values of squared length %v from %d", p.kind, len(u), square, len(v))
				}
			}
		}
	})
}
