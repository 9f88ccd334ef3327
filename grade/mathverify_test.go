package grade_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/grade"
)

// goldenRow is a row of testdata/mathverify.json.gz, see tools/golden/grade.py.
type goldenRow struct {
	Pool, Question string
	Candidate      int
	Hash           string
	Text, Answer   int // Math-Verify's verdict on the text and on the recorded answer: 1 correct, 0 not, −1 none
}

func (r *goldenRow) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&r.Pool, &r.Question, &r.Candidate, &r.Hash, &r.Text, &r.Answer})
}

func goldenRows(t *testing.T) []goldenRow {
	t.Helper()
	var golden struct{ Rows []goldenRow }
	if err := json.NewDecoder(unpacked(t, "testdata/mathverify.json.gz")).Decode(&golden); err != nil {
		t.Fatal(err)
	}
	return golden.Rows
}

// Verdicts agree with those of Math-Verify on candidates of the MATH pools, on whole
// texts and on answers that were extracted before. docs/grading.md classifies the rest.
func TestMathVerify(t *testing.T) {
	lines := map[string]poolLine{}
	for _, path := range pools(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl.gz")
		if !strings.HasPrefix(name, "math-") || !strings.Contains(path, "/pools/") {
			continue
		}
		for _, line := range readPool(t, path, 1<<20) {
			lines[name+" "+line.ID] = line
		}
	}
	g, err := grade.New("math")
	if err != nil {
		t.Fatal(err)
	}
	var texts, answers tally
	for _, row := range goldenRows(t) {
		line := lines[row.Pool+" "+row.Question]
		if row.Candidate >= len(line.Candidates) {
			t.Fatalf("%s has no candidate %d of %s: the shared folder is another one", row.Pool, row.Candidate, row.Question)
		}
		c := line.Candidates[row.Candidate]
		if sum := sha256.Sum256([]byte(c.Text)); hex.EncodeToString(sum[:8]) != row.Hash {
			t.Fatalf("%s: candidate %d of %s is another text", row.Pool, row.Candidate, row.Question)
		}
		verdict := g.Judge(line.Answer, c.Text)
		same := texts.count((verdict.Verdict == grade.Correct) == (row.Text == 1))
		explain(same, "text", row, line.Answer, deref(verdict.Extracted), verdict, c.Text)
		if row.Answer >= 0 {
			verdict := g.Judge(line.Answer, `\boxed{`+*c.Answer+`}`)
			same := answers.count((verdict.Verdict == grade.Correct) == (row.Answer == 1))
			explain(same, "answer", row, line.Answer, *c.Answer, verdict, "")
		}
	}
	const atLeast = 0.995
	for name, t1 := range map[string]tally{"texts": texts, "recorded answers": answers} {
		t.Logf("%s: %d of %d agree, %.2f %%", name, t1.agree, t1.n, 100*t1.share())
		if t1.n < 4000 || t1.share() < atLeast {
			t.Errorf("%s: %d of %d agree, want %v of 4000 or more", name, t1.agree, t1.n, atLeast)
		}
	}
}

type tally struct{ agree, n int }

func (t *tally) count(agree bool) bool {
	t.n++
	if agree {
		t.agree++
	}
	return agree
}

func (t tally) share() float64 { return float64(t.agree) / float64(t.n) }

// explain prints a disagreement if RCVAE_DISAGREEMENTS is set.
func explain(same bool, what string, row goldenRow, gold, answer string, verdict grade.Verdict, text string) {
	if same || os.Getenv("RCVAE_DISAGREEMENTS") == "" {
		return
	}
	fmt.Printf("%s %s %s %d: Math-Verify %d/%d, here %s (%s, %s): gold %q answer %q …%q\n", what, row.Pool, row.Question, row.Candidate,
		row.Text, row.Answer, verdict.Verdict, verdict.Rule, verdict.DecidedBy, gold, answer, text[max(0, len(text)-120):])
}
