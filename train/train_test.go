package train_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/cvae"
	"rcvae/signal"
	"rcvae/train"
)

const dimension = 8

// cueEmbedder maps texts to pseudo-random unit vectors; texts that contain the cue lean
// along the first axis. Salt changes the vectors of texts that contain the word salted.
type cueEmbedder struct {
	cue, salted string
	salt        uint64
}

func (e cueEmbedder) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "cue", Dimension: dimension, Normalized: true}
}

func (e cueEmbedder) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	for i, t := range texts {
		h := fnv.New64a()
		h.Write([]byte(t.Text))
		var salt uint64
		if e.salted != "" && strings.Contains(t.Text, e.salted) {
			salt = e.salt
		}
		rng := rand.New(rand.NewPCG(h.Sum64(), salt))
		v, square := make(rcvae.Embedding, dimension), 0.0
		for j := range v {
			x := rng.NormFloat64()
			if j == 0 && strings.Contains(t.Text, e.cue) {
				x += 3
			}
			v[j] = float32(x)
			square += x * x
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(square))
		}
		out[i] = v
	}
	return out, ctx.Err()
}

// questions returns n questions with six candidates each: two are correct and have the
// cue, three of the others share an incorrect answer.
func questions(n int, writer string) []rcvae.Question {
	out := make([]rcvae.Question, n)
	for i := range out {
		out[i].Problem = rcvae.Problem{ID: fmt.Sprint("q", i), Question: fmt.Sprint("question ", i), Answer: "7"}
		for j := range 6 {
			c := rcvae.Candidate{Text: fmt.Sprintf("q%d: %s writes %d", i, writer, j), Answer: fmt.Sprint(8 + j/5), Verdict: rcvae.Incorrect}
			if j < 2 {
				c.Text, c.Answer, c.Verdict = c.Text+" sound", "7", rcvae.Correct
			}
			out[i].Candidates = append(out[i].Candidates, c)
		}
	}
	return out
}

func config(t *testing.T) cvae.Config {
	t.Helper()
	c := cvae.DefaultConfig(cvae.Contrastive, dimension)
	c.Hidden, c.Latent, c.Batch, c.Epochs, c.LearningRate = []int{16}, 4, 16, 8, 1e-2
	return c
}

func run(t *testing.T, c cvae.Config, e rcvae.Embedder, list []rcvae.Question) *train.Result {
	t.Helper()
	result, err := train.Run(t.Context(), c, list, train.Options{Embedder: e})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestRunLearnsTheCue(t *testing.T) {
	e := cueEmbedder{cue: "sound"}
	result := run(t, config(t), e, questions(300, "a"))
	h := result.HeldOut
	if h == nil || h.Questions < 20 || h.Mixed != h.Questions || h.K != 6 {
		t.Fatalf("held out: %+v, want about 37 mixed questions of 6 candidates", h)
	}
	if h.Majority > 0.01 || h.Selectors[0].Name != "vote:entropy" || h.Selectors[0].Accuracy < 0.9 {
		t.Errorf("majority %.2f, %s %.2f; want 0, and the cue to tell the correct answer", h.Majority, h.Selectors[0].Name, h.Selectors[0].Accuracy)
	}
	if info := result.Model.Info(); !info.Fingerprint.Same(e.Fingerprint()) || info.Calibration.Tau != h.Tau {
		t.Errorf("the model has %v and τ %v, want the embedder's and %v", info.Fingerprint, info.Calibration.Tau, h.Tau)
	}
}

// TestHeldOutQuestionsAreNotTrainedOn gives two pools of the same questions, and changes
// every embedding of a held-out question's texts: the weights stay the same.
func TestHeldOutQuestionsAreNotTrainedOn(t *testing.T) {
	pools := slices.Concat(questions(80, "a"), questions(80, "b"))
	held := ""
	for _, q := range pools {
		if rcvae.HeldOut(q.ID, config(t).Holdout) {
			held = q.ID
			break
		}
	}
	if held == "" {
		t.Fatal("the case holds no question out")
	}
	c := config(t)
	c.Epochs = 1 // the best epoch is chosen on held-out questions
	plain := cueEmbedder{cue: "sound", salted: held + ":", salt: 0}
	salted := plain
	salted.salt = 1
	a, b := run(t, c, plain, pools), run(t, c, salted, pools)
	probe, err := plain.Embed(t.Context(), []rcvae.Text{{Text: "one"}, {Text: "two"}})
	if err != nil {
		t.Fatal(err)
	}
	posterior := func(m *cvae.Model) rcvae.Posterior {
		inferences, err := m.Infer(probe[0], []rcvae.Solution{{Embedding: probe[1]}}, false)
		if err != nil {
			t.Fatal(err)
		}
		return inferences[0].Posterior
	}
	if x, y := posterior(a.Model), posterior(b.Model); !slices.Equal(x.Mu, y.Mu) || !slices.Equal(x.LogVar, y.LogVar) {
		t.Errorf("the weights depend on held-out question %s", held)
	}
	if s := a.Model.Summary(); s.Questions+s.HeldOut != 80 || a.HeldOut.Questions != 2*s.HeldOut {
		t.Errorf("%d questions trained on and %d held out of 80 ids; %d measured, want both pools' %d",
			s.Questions, s.HeldOut, a.HeldOut.Questions, 2*s.HeldOut)
	}
}

func TestRunWithoutAnEmbedder(t *testing.T) {
	c := cvae.DefaultConfig(cvae.Contrastive, 0, "wrong_any")
	c.SignalVersion, c.Hidden, c.Latent, c.Epochs = signal.Version, []int{16}, 4, 2
	list := questions(60, "a")
	for i := range list {
		for j := range list[i].Candidates {
			candidate := &list[i].Candidates[j]
			if candidate.Text += "\n2 + 2 = 4"; candidate.Verdict == rcvae.Incorrect {
				candidate.Text += "\n2 + 3 = 6"
			}
		}
	}
	result := run(t, c, nil, list)
	pick := result.HeldOut.Selectors[2]
	if pick.Name != "entropy" || pick.Accuracy < 0.9 {
		t.Errorf("%s picks a correct candidate for %.2f of the questions: wrong equations were not learned from", pick.Name, pick.Accuracy)
	}
}

func TestRunErrors(t *testing.T) {
	if _, err := train.Run(t.Context(), config(t), nil, train.Options{Embedder: cueEmbedder{}}); err == nil {
		t.Error("training on nothing succeeded")
	}
	c := cvae.DefaultConfig(cvae.Contrastive, dimension, "no_such_column")
	c.SignalVersion = signal.Version
	if _, err := train.Run(t.Context(), c, questions(9, "a"), train.Options{Embedder: cueEmbedder{}}); err == nil || !strings.Contains(err.Error(), "no_such_column") {
		t.Errorf("an unknown column: %v, want an error that names it", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := train.Run(ctx, config(t), questions(9, "a"), train.Options{Embedder: cueEmbedder{}}); err == nil {
		t.Error("a cancelled training succeeded")
	}
}
