package cvae

import (
	"math"
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
	"rcvae/internal/safetensors"
)

// golden reads tensors of a file that tools/golden/cvae.py made with PyTorch.
type golden struct {
	t    *testing.T
	file *safetensors.File
}

func openGolden(t *testing.T, name string) golden {
	t.Helper()
	file, err := safetensors.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return golden{t, file}
}

func (g golden) bytes(name string) []byte {
	g.t.Helper()
	tensor, err := g.file.Lookup(name)
	if err != nil {
		g.t.Fatal(err)
	}
	return tensor.Data
}

func (g golden) floats(name string) []float32 {
	g.t.Helper()
	tensor, err := g.file.Lookup(name)
	if err != nil {
		g.t.Fatal(err)
	}
	values, err := tensor.Float32()
	if err != nil {
		g.t.Fatal(err)
	}
	return values
}

func (g golden) embeddings(name string, D int) []rcvae.Embedding {
	values := g.floats(name)
	var out []rcvae.Embedding
	for ; len(values) > 0; values = values[D:] {
		out = append(out, values[:D])
	}
	return out
}

func (g golden) bools(name string) []bool {
	var out []bool
	for _, b := range g.bytes(name) {
		out = append(out, b != 0)
	}
	return out
}

// questions returns the file's questions with their candidates.
func (g golden) questions(D int) []rcvae.Encoded {
	var out []rcvae.Encoded
	for i, q := range g.embeddings("questions", D) {
		out = append(out, encoded(i, q))
	}
	group, correct, answered := g.bytes("group"), g.bools("correct"), g.bools("answered")
	for i, r := range g.embeddings("solutions", D) {
		add(&out[group[8*i]], r, correct[i], answered[i])
	}
	return out
}

// TestStepsMatchPyTorch repeats ten training steps of PyTorch's: every loss, the
// gradient of every parameter in the first step to 1e-4 of the largest of its
// tensor, and the parameters in the end.
func TestStepsMatchPyTorch(t *testing.T) {
	for _, objective := range []string{Contrastive, Paper} {
		t.Run(objective, func(t *testing.T) {
			g := openGolden(t, "step-"+objective+".safetensors")
			questions := g.questions(24)
			if objective == Paper {
				questions = allCorrect(questions)
			}
			p, b := g.step(small(objective, 24), questions)
			g.follow(p, b)
		})
	}
}

// follow takes the file's steps and compares.
func (g golden) follow(p *pass, b *batch) {
	g.t.Helper()
	objective, err := LookupObjective(p.config.Objective)
	if err != nil {
		g.t.Fatal(err)
	}
	eps := g.embeddings("noise", p.config.Latent)
	noise := randomness{noise: func(_, candidate int, dst []float32) { copy(dst, eps[candidate]) }}
	losses := g.floats("losses")
	optimizer := nn.NewAdamW(len(p.params), 0.05)
	for i, want := range losses {
		loss := objective.Loss(p.forward(b, noise))
		if got := loss.Value; math.Abs(got-float64(want)) > 1e-5*math.Abs(float64(want)) {
			g.t.Errorf("loss of step %d = %.7g, want %.7g", i+1, got, want)
		}
		p.backward(b, noise, loss)
		if i == 0 {
			g.compare(p.net, p.grads, "grad.", 1e-4)
		}
		optimizer.Update(p.pool, p.params, p.grads, nn.Cosine(1e-2, i, len(losses)), nn.ClipScale(nn.Norm(p.pool, p.grads), 0.5))
	}
	g.compare(p.net, p.params, "final.", 1e-3)
}

func (g golden) compare(net *network, flat []float32, prefix string, tolerance float64) {
	g.t.Helper()
	for _, v := range net.layout.Views() {
		if worst := difference(v.Of(flat), g.floats(prefix+v.Name)); worst > tolerance {
			g.t.Errorf("%s%s differs by %.2g of its largest element", prefix, v.Name, worst)
		}
	}
}

// step returns a pass with the file's parameters, and a batch of all its data.
func (g golden) step(c Config, questions []rcvae.Encoded) (*pass, *batch) {
	pool := gemm.NewPool(1)
	g.t.Cleanup(pool.Close)
	d, o := newTestData(g.t, c, questions)
	net := newNetwork(c, o)
	params := make([]float32, net.layout.Size())
	for _, v := range net.layout.Views() {
		copy(v.Of(params), g.floats("param."+v.Name))
	}
	in := d.fit(c, d.questions)
	for name, got := range map[string]standardizer{"q": in.q, "r": in.r} {
		if d := max(difference(got.mean, g.floats("standardize."+name+".mean")), difference(got.scale, g.floats("standardize."+name+".scale"))); d > 1e-5 {
			g.t.Errorf("standardisation of %s differs by %.2g", name, d)
		}
	}
	return newPass(net, d, in, pool, params), wholeBatch(d, o)
}

// wholeBatch returns a batch of all the data.
func wholeBatch(d *data, o Objective) *batch {
	b := &batch{}
	b.reset()
	for _, q := range d.questions {
		b.add(d, o, q, InELBO|InList)
	}
	return b
}

// difference returns the largest difference relative to the largest element of want.
func difference(got, want []float32) float64 {
	var top, worst float64
	for i := range want {
		top = max(top, math.Abs(float64(want[i])))
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
	}
	if top == 0 {
		return worst
	}
	return worst / top
}

// TestFixture reproduces the posteriors and scores of a model that PyTorch trained
// on real samples.
func TestFixture(t *testing.T) {
	g := openGolden(t, "fixture.safetensors")
	c := DefaultConfig(Contrastive, 384)
	params, in, err := readTensors(g.file, c, contrastiveObjective())
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(contrastiveObjective(), params, in)
	logVar, scores := g.floats("ex_logvar"), g.floats("ex_score")
	solutions := g.embeddings("ex_r", 384)
	for i, question := range g.embeddings("ex_q", 384) {
		posterior := infer(t, m, question, []rcvae.Solution{{Embedding: solutions[i]}})[0].Posterior
		for j, got := range posterior.LogVar {
			if want := logVar[i*32+j]; math.Abs(float64(got-want)) > 1e-5 {
				t.Errorf("example %d: LogVar[%d] = %g, want %g", i, j, got, want)
			}
		}
		got, want := -m.Info().Calibration.Scale*posterior.HalfLogVar(), float64(scores[i])
		if math.Abs(got-want) > 1e-5 {
			t.Errorf("example %d: score = %g, want %g", i, got, want)
		}
	}
}
