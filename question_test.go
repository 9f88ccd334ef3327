package rcvae_test

import (
	"math"
	"strconv"
	"testing"

	"rcvae"
)

// TestHeldOut compares the hash with values from Python,
//
//	int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big") / 2**64
func TestHeldOut(t *testing.T) {
	for id, u := range map[string]float64{
		"gsm8k-test-0017":      0.03232500731625502,
		"gsm8k-train-0000":     0.5130412010426653,
		"math-train-algebra-1": 0.904872564733745,
		"line-12":              0.7303704957521147,
		"":                     0.8894159948913374,
	} {
		if rcvae.HeldOut(id, u) || !rcvae.HeldOut(id, math.Nextafter(u, 1)) {
			t.Errorf("HeldOut(%q, share) does not change at %v", id, u)
		}
	}
}

func TestHeldOutShare(t *testing.T) {
	held := 0
	for i := range 8000 {
		id := strconv.Itoa(i)
		if rcvae.HeldOut(id, 1.0/8) {
			held++
			if !rcvae.HeldOut(id, 1.0/4) {
				t.Errorf("question %s is held out at 1/8 and not at 1/4", id)
			}
		}
	}
	if held < 900 || held > 1100 { // 1,000 ± 3.4 standard deviations
		t.Errorf("%d of 8000 questions are held out, want about 1000", held)
	}
	if rcvae.HeldOut("x", 0) || !rcvae.HeldOut("x", 1) {
		t.Error("a share of 0 holds a question out, or one of 1 does not")
	}
}

func TestMixed(t *testing.T) {
	voter := func(v rcvae.Verdict) rcvae.Candidate { return rcvae.Candidate{Answer: "1", Verdict: v} }
	cut := rcvae.Candidate{Answer: "1", AnswerFrom: "number", Finish: "length", Verdict: rcvae.Incorrect}
	silent := rcvae.Candidate{Verdict: rcvae.Incorrect}
	for _, tt := range []struct {
		name       string
		candidates []rcvae.Candidate
		want       bool
	}{
		{"none", nil, false},
		{"all correct", []rcvae.Candidate{voter(rcvae.Correct), voter(rcvae.Correct)}, false},
		{"both", []rcvae.Candidate{voter(rcvae.Incorrect), voter(rcvae.Correct)}, true},
		{"ungraded is not incorrect", []rcvae.Candidate{voter(rcvae.Correct), voter(rcvae.Ungraded)}, false},
		{"cut and silent candidates do not vote", []rcvae.Candidate{voter(rcvae.Correct), cut, silent}, false},
	} {
		if got := (rcvae.Question{Candidates: tt.candidates}).Mixed(); got != tt.want {
			t.Errorf("%s: Mixed() = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTexts(t *testing.T) {
	q := rcvae.Question{Problem: rcvae.Problem{Question: "1 + 1?"}, Candidates: []rcvae.Candidate{{Text: "2"}}}
	got := q.Texts()
	want := []rcvae.Text{{Role: rcvae.RoleQuestion, Text: "1 + 1?"}, {Role: rcvae.RoleSolution, Text: "2", Question: "1 + 1?"}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("Texts() = %v, want %v", got, want)
	}
}

// TestFingerprintSame: a name is for people, everything else is the function.
func TestFingerprintSame(t *testing.T) {
	a := rcvae.Fingerprint{Name: "a", Weights: "w", Dimension: 3}
	b := a
	b.Name = "b"
	if !a.Same(b) || a.ID() != b.ID() {
		t.Errorf("two names of one function differ: %v, %v", a, b)
	}
	b.Solution = "passage: "
	if a.Same(b) || a.ID() == b.ID() {
		t.Errorf("two prompts are one function: %v, %v", a, b)
	}
}
