package main

import (
	"rcvae"
	"rcvae/cvae"
	"rcvae/eval"
)

// trainings says how the models were trained; names[i] is the name of model i in the
// result.
func trainings(models []rcvae.Model, names []string) (out []eval.Training) {
	for i, m := range models {
		model, ok := m.(*cvae.Model)
		if !ok {
			continue
		}
		info, s := model.Info(), model.Summary()
		t := eval.Training{
			Model: names[i], Objective: s.Objective, Embedder: info.Fingerprint.String(), Signals: info.Signals,
			Questions: s.Questions, Candidates: s.Candidates, Latent: s.Diagnostics.Latent, BestEpoch: s.BestEpoch, Warnings: s.Warnings,
		}
		for _, e := range s.Curve {
			t.Curve = append(t.Curve, eval.Epoch{Epoch: e.Epoch, Loss: e.Loss, Validation: e.Validation, KL: e.KL, ActiveUnits: e.ActiveUnits})
		}
		out = append(out, t)
	}
	return out
}
