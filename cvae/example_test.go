package cvae_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"rcvae"
	"rcvae/cvae"
)

// pool stands for an embedded pool: unit vectors of dimension 16 in which correct
// solutions lean one way and incorrect ones the other.
func pool() []rcvae.Encoded {
	rng := rand.New(rand.NewPCG(1, 2))
	vector := func(lean float64) rcvae.Embedding {
		x, sum := make(rcvae.Embedding, 16), 0.0
		for j := range x {
			v := rng.NormFloat64() + lean
			x[j], sum = float32(v), sum+v*v
		}
		for j := range x {
			x[j] /= float32(math.Sqrt(sum))
		}
		return x
	}
	var questions []rcvae.Encoded
	for i := range 300 {
		e := rcvae.Encoded{Question: rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint(i)}}, Embedding: vector(0)}
		for range 3 {
			e.Candidates = append(e.Candidates,
				rcvae.Candidate{Answer: "1", Verdict: rcvae.Correct}, rcvae.Candidate{Answer: "2", Verdict: rcvae.Incorrect})
			e.Solutions = append(e.Solutions, rcvae.Solution{Embedding: vector(0.7)}, rcvae.Solution{Embedding: vector(-0.7)})
		}
		questions = append(questions, e)
	}
	return questions
}

func ExampleTrain() {
	questions := pool()
	config := cvae.DefaultConfig(cvae.Contrastive, 16)
	config.Latent, config.Hidden, config.LearningRate = 8, []int{32}, 1e-2
	model, err := cvae.Train(context.Background(), config, questions, cvae.Options{})
	if err != nil {
		log.Fatal(err)
	}
	inferences, err := model.Infer(questions[0].Embedding, questions[0].Solutions[:2], false)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the correct solution has the lower entropy:", inferences[0].Posterior.Entropy() < inferences[1].Posterior.Entropy())
	// Output: the correct solution has the lower entropy: true
}

func ExampleLoad() {
	folder, err := os.MkdirTemp("", "rcvae")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	config := cvae.DefaultConfig(cvae.Paper, 16)
	config.Epochs = 4
	model, err := cvae.Train(context.Background(), config, pool(), cvae.Options{})
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(folder, "model.rcvae")
	if err := model.Save(path); err != nil {
		log.Fatal(err)
	}
	loaded, err := cvae.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	summary := loaded.Summary()
	fmt.Println(summary.Objective, "collapsed:", summary.Diagnostics.Collapsed())
	// Output: paper collapsed: true
}
