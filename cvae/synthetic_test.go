package cvae

import (
	"math"
	"math/rand/v2"

	"rcvae"
)

// synthetic returns questions of each samples each, of unit vectors in dimension
// D. A sample is right with probability ½ and then leans towards a direction that
// depends on the question, so that there is something to learn.
func synthetic(questions, each, D int, seed uint64) Data {
	rng := rand.New(rand.NewPCG(seed, 1))
	var d Data
	direction := randomUnit(rng, D)
	for g := range questions {
		q := randomUnit(rng, D)
		d.Questions = append(d.Questions, q)
		for range each {
			right := rng.IntN(2) == 0
			r := randomUnit(rng, D)
			for j := range r {
				r[j] += 0.5 * q[j]
				if right {
					r[j] += direction[j]
				} else {
					r[j] -= direction[j]
				}
			}
			d.Solutions = append(d.Solutions, unit(r))
			d.Group = append(d.Group, g)
			d.Correct = append(d.Correct, right)
			d.Answered = append(d.Answered, rng.IntN(8) > 0)
		}
	}
	return d
}

func randomUnit(rng *rand.Rand, D int) rcvae.Embedding {
	x := make(rcvae.Embedding, D)
	for j := range x {
		x[j] = float32(rng.NormFloat64())
	}
	return unit(x)
}

func unit(x rcvae.Embedding) rcvae.Embedding {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	for j := range x {
		x[j] = float32(float64(x[j]) / math.Sqrt(sum))
	}
	return x
}

// small returns an objective's defaults cut down to a test's size.
func small(objective string, D int) Config {
	c := DefaultConfig(objective, D)
	c.Latent, c.Hidden = 4, []int{16}
	c.Epochs, c.Batch = 3, 8
	return c
}
