package scratch_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"rcvae"
	"rcvae/internal/scratch"
)

// spaces are one that keeps everything in memory, one that keeps nothing there, and one
// that changes over in between.
var spaces = map[string]int64{"memory": math.MaxInt64, "file": 0, "both": 1000}

func TestWhatIsKeptIsWhatWasGiven(t *testing.T) {
	for name, inMemory := range spaces {
		t.Run(name, func(t *testing.T) {
			s := scratch.New(inMemory)
			defer s.Close()
			var vectors [][]float32
			var texts []string
			for i := range 300 {
				given := []float32{float32(i), float32(math.NaN()), 1e-40}
				vector, err := scratch.Keep(s, given)
				if err != nil {
					t.Fatal(err)
				}
				given[0] = -1 // the copy does not follow
				text, err := s.String(strings.Repeat("x", i%7) + fmt.Sprint(i))
				if err != nil {
					t.Fatal(err)
				}
				vectors, texts = append(vectors, vector), append(texts, text)
			}
			for i, v := range vectors {
				if v[0] != float32(i) || v[1] == v[1] || v[2] != 1e-40 || len(v) != 3 || cap(v) != 3 {
					t.Fatalf("vector %d is %v", i, v)
				}
				if want := strings.Repeat("x", i%7) + fmt.Sprint(i); texts[i] != want {
					t.Fatalf("text %d is %q, want %q", i, texts[i], want)
				}
			}
		})
	}
}

func TestALongValueGetsItsOwnSegment(t *testing.T) {
	s := scratch.New(0)
	defer s.Close()
	long := make([]float64, 1, 40<<20)
	if _, err := scratch.Keep(s, long); err != nil {
		t.Fatal(err)
	}
	long = long[:cap(long)] // 320 MiB, of which the last value alone is set
	long[len(long)-1] = 5
	kept, err := scratch.Keep(s, long)
	if err != nil || len(kept) != len(long) || kept[len(kept)-1] != 5 {
		t.Fatalf("%d values, %v", len(kept), err)
	}
}

func TestTheFileLeavesNoName(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := scratch.New(0)
	defer s.Close()
	if _, err := s.String("text"); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v in the temporary folder", entries, err)
	}
}

func TestAMissingFolderThatWasAskedForIsNamed(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/absent")
	s := scratch.New(0)
	if _, err := s.String("text"); err == nil || !strings.Contains(err.Error(), "absent") || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("%v, want the folder and what to set", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestManyKeepAtOnce(t *testing.T) {
	s := scratch.New(100)
	defer s.Close()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 500 {
				want := []float32{float32(worker), float32(i)}
				if got, err := scratch.Keep(s, want); err != nil || !slices.Equal(got, want) {
					t.Errorf("Keep(%v) = %v, %v", want, got, err)
				}
			}
		})
	}
	group.Wait()
}

func TestQuestionAndEncoded(t *testing.T) {
	q := rcvae.Question{
		Problem:    rcvae.Problem{ID: "a", Question: "why?", Solution: "so", Extra: rcvae.Extra{"x": nil}},
		Candidates: []rcvae.Candidate{{Text: "because", Answer: "7", Extra: rcvae.Extra{"x": nil}}, {}},
	}
	e := rcvae.Encoded{Question: q, Embedding: rcvae.Embedding{1, 0}, Solutions: []rcvae.Solution{{Embedding: rcvae.Embedding{0, 1}, Signals: []float64{3}}, {}}}
	s := scratch.New(0)
	defer s.Close()
	if err := s.Question(&e.Question); err != nil {
		t.Fatal(err)
	}
	if err := s.Encoded(&e); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(e)
	want := "{{{a why? so   0 map[]} [{because 7     0 <nil> ungraded map[]} {      0 <nil> ungraded map[]}]} [1 0] [{[0 1] [3]} {[] []}]}"
	if got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
}
