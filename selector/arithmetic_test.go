package selector_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"rcvae"
	"rcvae/selector"
)

// trainingQuestions reads a pool of training questions, or skips where there is none.
func trainingQuestions(t *testing.T, name string) []rcvae.Question {
	t.Helper()
	shared := os.Getenv("RCVAE_SHARED")
	if shared == "" {
		t.Skip("RCVAE_SHARED is not set: the pools of training questions are not here")
	}
	f, err := os.Open(filepath.Join(shared, "data", "train-pools", name+".jsonl.gz"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var questions []rcvae.Question
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() && len(questions) < 1500 {
		var line struct {
			ID, Question string
			Candidates   []struct {
				Text, Answer, Finish string
				From                 string `json:"answer_from"`
				Correct              bool
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		q := rcvae.Question{Problem: rcvae.Problem{ID: line.ID, Question: line.Question}}
		for _, c := range line.Candidates {
			verdict := rcvae.Incorrect
			if c.Correct {
				verdict = rcvae.Correct
			}
			q.Candidates = append(q.Candidates, rcvae.Candidate{Text: c.Text, Answer: c.Answer, Finish: c.Finish, AnswerFrom: c.From, Verdict: verdict})
		}
		questions = append(questions, q)
	}
	return questions
}

// prepareTexts prepares what can be read off the texts.
func prepareTexts(t *testing.T, q rcvae.Question, need selector.Needs) *selector.Prepared {
	t.Helper()
	p, err := selector.PrepareEncoded(rcvae.Encoded{Question: q}, selector.Sources{}, need)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// gradient adds, per term, the slope of ln (Σ over correct exp s / Σ over voters exp s)
// over the voters of a question, s the weighted sum of the terms.
func gradient(t *testing.T, e *selector.Evidence, q rcvae.Question, score selector.Score, sum []float64) {
	t.Helper()
	total, err := e.Column(score)
	if err != nil {
		t.Fatal(err)
	}
	var all, correct float64
	for i, c := range q.Candidates {
		if c.Votes() {
			all += math.Exp(total.Raw[i])
			if c.Verdict == rcvae.Correct {
				correct += math.Exp(total.Raw[i])
			}
		}
	}
	for j, term := range score.Terms {
		column, err := e.Column(term.Score)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range q.Candidates {
			if !c.Votes() {
				continue
			}
			slope := -math.Exp(total.Raw[i]) / all
			if c.Verdict == rcvae.Correct {
				slope += math.Exp(total.Raw[i]) / correct
			}
			sum[j] += slope * column.Raw[i]
		}
	}
}

// The weights of the score "arithmetic" are where the listwise likelihood of the correct
// candidates is highest, on training questions of one generator.
func TestArithmeticWeights(t *testing.T) {
	score := mustParse(t, "arithmetic").Score
	sum, n := make([]float64, len(score.Terms)), 0.0
	for _, q := range trainingQuestions(t, "gsm8k-train-qwen2.5-coder-0.5b") {
		if q.Mixed() {
			n++
			gradient(t, evidenceOf(t, prepareTexts(t, q, selector.NeedSignals), nil), q, score, sum)
		}
	}
	for j, term := range score.Terms {
		t.Logf("%s: weight %v, slope %.4f per question", term.Score.Name, term.Weight, sum[j]/n)
		if math.Abs(sum[j]/n) > 0.01 {
			t.Errorf("the likelihood of %v questions still rises by %.4f per question and unit of the weight of %s: fit the weights again", n, sum[j]/n, term.Score.Name)
		}
	}
}

// A vote weighted by arithmetic is not below majority, whatever wrote the candidates and
// whatever the questions are.
func TestArithmeticIsSafe(t *testing.T) {
	rules := []selector.Rule{mustParse(t, "majority"), mustParse(t, "vote:arithmetic")}
	for _, pool := range []string{"gsm8k-train-qwen2.5-coder-0.5b", "gsm8k-train-qwen2.5-coder-1.5b", "math-train-qwen2.5-coder-0.5b"} {
		questions := trainingQuestions(t, pool)
		var correct [2]float64 // expected number of questions
		for _, q := range questions {
			e := evidenceOf(t, prepareTexts(t, q, selector.NeedSignals|selector.NeedAnswers), nil)
			for r, rule := range rules {
				c := chooseBy(t, rule, e)
				for _, i := range c.Tied {
					if q.Candidates[i].Votes() && q.Candidates[i].Verdict == rcvae.Correct {
						correct[r] += 1 / float64(len(c.Tied))
					}
				}
			}
		}
		gain := 100 * (correct[1] - correct[0]) / float64(len(questions))
		t.Logf("%s: majority %.2f %%, vote:arithmetic %+.2f points, %d questions", pool, 100*correct[0]/float64(len(questions)), gain, len(questions))
		if gain < 0 {
			t.Errorf("%s: vote:arithmetic is %.2f points below majority", pool, -gain)
		}
	}
}
