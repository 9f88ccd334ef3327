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

// embeddings stands for an embedder: unit vectors of dimension 16 in which right
// solutions lean one way and wrong ones the other.
func embeddings() cvae.Data {
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
	var data cvae.Data
	for question := range 300 {
		data.Questions = append(data.Questions, vector(0))
		for sample := range 6 {
			right := sample%2 == 0
			lean := -0.7
			if right {
				lean = 0.7
			}
			data.Solutions = append(data.Solutions, vector(lean))
			data.Group = append(data.Group, question)
			data.Correct = append(data.Correct, right)
			data.Answered = append(data.Answered, true)
		}
	}
	return data
}

func ExampleTrain() {
	data := embeddings()
	config := cvae.DefaultConfig(cvae.Contrastive, 16)
	config.Latent, config.Hidden, config.LearningRate = 8, []int{32}, 1e-2
	model, err := cvae.Train(context.Background(), config, data, cvae.Options{})
	if err != nil {
		log.Fatal(err)
	}
	posteriors, err := model.Posteriors(data.Questions[0], data.Solutions[:2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the right solution has the lower entropy:", posteriors[0].Entropy() < posteriors[1].Entropy())
	// Output: the right solution has the lower entropy: true
}

func ExampleLoad() {
	folder, err := os.MkdirTemp("", "rcvae")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	config := cvae.DefaultConfig(cvae.Paper, 16)
	config.Epochs = 4
	model, err := cvae.Train(context.Background(), config, embeddings(), cvae.Options{})
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
	fmt.Println(summary.Objective, "collapsed:", summary.Diagnostics.Collapsed)
	// Output: paper collapsed: true
}
