package cvae_test

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/cvae"
)

// pairwise is an objective from outside the package: every voting candidate is rebuilt,
// and each pair of a correct and an incorrect candidate costs ln(1 + exp(sⱼ − sᵢ)).
func pairwise() cvae.Objective {
	return cvae.Objective{
		Name: "pairwise", Score: cvae.ScoreEntropy, Graded: true, Listwise: true,
		Defaults: func(c *cvae.Config) {
			c.Standardize, c.ELBOWeight, c.ListwiseWeight, c.Epochs, c.Batch = true, 0.01, 1, 8, 16
		},
		Roles: func(q rcvae.Question) []cvae.Role {
			roles := make([]cvae.Role, len(q.Candidates))
			for i, c := range q.Candidates {
				if c.Votes() {
					roles[i] = cvae.InELBO | cvae.InList
				}
			}
			return roles
		},
		Loss: pairwiseLoss,
	}
}

func pairwiseLoss(s cvae.Statistics) cvae.Loss {
	loss := s.NegativeELBO()
	scale := math.Exp(s.LogScale) / 5
	for _, list := range s.Lists {
		loss.Weight++
		for i := list.From; i < list.To; i++ {
			for j := list.From; j < list.To; j++ {
				a, b := s.Rows[i], s.Rows[j]
				if !a.Role.Has(cvae.InList) || !b.Role.Has(cvae.InList) || !a.Correct || b.Correct {
					continue
				}
				margin := scale * (b.HalfLogVar - a.HalfLogVar)
				d := -s.ListwiseWeight / (1 + math.Exp(margin)) / float64(len(s.Lists))
				loss.Listwise += math.Log1p(math.Exp(-margin))
				loss.Rows[i].HalfLogVar -= d * scale
				loss.Rows[j].HalfLogVar += d * scale
				loss.LogScale += d * margin
			}
		}
	}
	if loss.Weight > 0 {
		loss.Value += s.ListwiseWeight * loss.Listwise / loss.Weight
	}
	return loss
}

// TestObjectiveFromOutside trains an objective that the package does not know: the model
// ranks held-out candidates, and a file of it is read without the objective.
func TestObjectiveFromOutside(t *testing.T) {
	objective, questions := pairwise(), pool()
	config := objective.Config(16)
	config.Latent, config.Hidden, config.LearningRate = 8, []int{32}, 1e-2
	model, err := cvae.Train(t.Context(), config, questions, cvae.Options{Objective: &objective})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.rcvae")
	if err := model.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := cvae.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ordered, pairs := 0, 0
	for _, e := range questions {
		if !rcvae.HeldOut(e.ID, config.Holdout) {
			continue
		}
		inferences, err := loaded.Infer(e.Embedding, e.Solutions, false)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(inferences); i += 2 { // a correct candidate, then an incorrect one
			pairs++
			if inferences[i].Posterior.HalfLogVar() < inferences[i+1].Posterior.HalfLogVar() {
				ordered++
			}
		}
	}
	if float64(ordered) < 0.95*float64(pairs) {
		t.Errorf("%d of %d held-out pairs are ordered, want nearly all", ordered, pairs)
	}
	if c := loaded.Info().Calibration; c.Objective != "pairwise" || c.Score != cvae.ScoreEntropy {
		t.Errorf("calibration = %+v, want that of pairwise", c)
	}
}

func TestObjectiveFromOutsideIsChecked(t *testing.T) {
	for want, change := range map[string]func(*cvae.Objective){
		"is not that of the options":  func(o *cvae.Objective) { o.Name = "other" },
		"has no roles or no loss":     func(o *cvae.Objective) { o.Loss = nil },
		`calibrates the score "best"`: func(o *cvae.Objective) { o.Score = "best" },
		"set Classes":                 func(o *cvae.Objective) { o.Score = cvae.ScoreRatio },
		"returned 0 gradients":        func(o *cvae.Objective) { o.Loss = func(cvae.Statistics) cvae.Loss { return cvae.Loss{} } },
		"0 roles":                     func(o *cvae.Objective) { o.Roles = func(rcvae.Question) []cvae.Role { return nil } },
	} {
		objective := pairwise()
		config := objective.Config(16)
		change(&objective)
		if _, err := cvae.Train(context.Background(), config, pool(), cvae.Options{Objective: &objective}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Train() = %v, want %q", err, want)
		}
	}
}
