package train_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rcvae"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/eval"
	"rcvae/internal/scratch"
	"rcvae/selector"
	"rcvae/signal"
	"rcvae/train"
)

func TestAModelDoesNotDependOnWhereItsDataLies(t *testing.T) {
	config := config(t)
	config.Signals = []string{signal.Columns()[0].Name, signal.Columns()[1].Name}
	encoded, err := train.Encode(t.Context(), questions(300, "x"), cueEmbedder{cue: "sound"}, config.Signals)
	if err != nil {
		t.Fatal(err)
	}
	space := scratch.New(0)
	defer space.Close()
	inFile := make([]rcvae.Encoded, len(encoded))
	for i, e := range encoded {
		e.Solutions = append([]rcvae.Solution(nil), e.Solutions...)
		if err := space.Encoded(&e); err != nil {
			t.Fatal(err)
		}
		inFile[i] = e
	}
	var models [][]byte
	for i, data := range [][]rcvae.Encoded{encoded, inFile} {
		model, err := cvae.Train(t.Context(), config, data, cvae.Options{})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := model.Save(path); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, data)
	}
	if !bytes.Equal(models[0], models[1]) {
		t.Error("the model of data in a file differs from that of data in memory")
	}
}

// noiseEmbedder maps texts to unit vectors of a dimension, quickly; those of texts with
// "sound" in them lean along the first axis.
type noiseEmbedder int

func (d noiseEmbedder) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "noise", Dimension: int(d), Normalized: true}
}

func (d noiseEmbedder) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	for i, t := range texts {
		h := fnv.New64a()
		h.Write([]byte(t.Text))
		source := rand.NewPCG(h.Sum64(), 1)
		v, square := make(rcvae.Embedding, d), 0.0
		for j := range v {
			v[j] = float32(int32(source.Uint64())) / (1 << 31)
		}
		if strings.Contains(t.Text, "sound") {
			v[0] += 3
		}
		for _, x := range v {
			square += float64(x) * float64(x)
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(square))
		}
		out[i] = v
	}
	return out, ctx.Err()
}

// many returns n questions of k candidates whose texts, of some 600 bytes, lie in the
// space.
func many(b *testing.B, space *scratch.Space, n, k int) []rcvae.Question {
	b.Helper()
	out := make([]rcvae.Question, n)
	for i := range out {
		q := rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint("q", i), Question: fmt.Sprint("How many are ", i, "?")}}
		for j := range k {
			c := rcvae.Candidate{Text: fmt.Sprintf("%d and %d is %d. ", i, j, i+j) + strings.Repeat("Then nothing changes. ", 26), Answer: "8", Verdict: rcvae.Incorrect}
			if (i+j)%3 == 0 {
				c.Text, c.Answer, c.Verdict = c.Text+"sound", "7", rcvae.Correct
			}
			q.Candidates = append(q.Candidates, c)
		}
		if err := space.Question(&q); err != nil {
			b.Fatal(err)
		}
		out[i] = q
	}
	return out
}

// BenchmarkMillion trains for one epoch, and evaluates, on more data than memory need
// hold; the peaks are of the resident memory, the mapped pages of files among it. One size
// in a process:
//
//	go test -run XXX -bench 'Million/train/384/1000000$' -benchtime 1x ./train
func BenchmarkMillion(b *testing.B) {
	for _, dimension := range []int{384, 1024} {
		for _, samples := range []int{100_000, 300_000, 1_000_000} {
			b.Run(fmt.Sprintf("train/%d/%d", dimension, samples), func(b *testing.B) { benchmarkTrain(b, dimension, samples) })
		}
	}
	for _, questions := range []int{10_000, 30_000, 100_000} {
		b.Run(fmt.Sprintf("eval/384/%d", questions), func(b *testing.B) { benchmarkEval(b, 384, questions) })
	}
	for _, texts := range []int{100_000, 300_000, 1_000_000} {
		b.Run(fmt.Sprintf("cache/384/%d", texts), func(b *testing.B) { benchmarkCache(b, 384, texts) })
	}
}

func benchmarkTrain(b *testing.B, dimension, samples int) {
	for b.Loop() {
		resetPeak()
		space := scratch.New(scratch.InMemory)
		config := train.Config(contrastive(b), dimension, signal.Columns()...)
		config.Epochs = 1
		if _, err := train.Run(b.Context(), config, many(b, space, samples/8, 8), train.Options{Embedder: noiseEmbedder(dimension)}); err != nil {
			b.Fatal(err)
		}
		reportPeak(b)
		_ = space.Close()
	}
	b.ReportMetric(float64(samples)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}

func benchmarkEval(b *testing.B, dimension, n int) {
	config := train.Config(contrastive(b), dimension, signal.Columns()...)
	config.Epochs = 1
	trained, err := train.Run(b.Context(), config, questions(500, "x"), train.Options{Embedder: noiseEmbedder(dimension)})
	if err != nil {
		b.Fatal(err)
	}
	details := 0
	for b.Loop() {
		resetPeak()
		space := scratch.New(scratch.InMemory)
		config := eval.DefaultConfig()
		config.K, config.OnDetails = nil, func(eval.Details) { details++ }
		sources := selector.Sources{Models: []rcvae.Model{trained.Model}, Embedder: noiseEmbedder(dimension)}
		if _, err := eval.Run(b.Context(), config, many(b, space, n, 16), sources); err != nil {
			b.Fatal(err)
		}
		reportPeak(b)
		_ = space.Close()
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "questions/s")
}

// benchmarkCache fills a cache file, and reads every text back in another order.
func benchmarkCache(b *testing.B, dimension, texts int) {
	for b.Loop() {
		resetPeak()
		path := filepath.Join(b.TempDir(), "cache.sqlite")
		cache, err := embed.OpenCache(path, noiseEmbedder(dimension))
		if err != nil {
			b.Fatal(err)
		}
		const call = 10_000
		for _, pass := range []struct {
			name string
			step int
		}{{"written", 1}, {"read", 7919}} { // a prime: a permutation
			began := time.Now()
			for from := 0; from < texts; from += call {
				list := make([]rcvae.Text, call)
				for i := range list {
					list[i].Text = fmt.Sprint("text ", (from+i)*pass.step%texts)
				}
				if _, err := cache.Embed(b.Context(), list); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(texts)/time.Since(began).Seconds(), pass.name+"/s")
		}
		reportPeak(b)
		_ = cache.Close()
		if info, err := os.Stat(path); err == nil {
			b.ReportMetric(float64(info.Size())/float64(texts), "file-B/text")
		}
	}
}

func contrastive(b *testing.B) cvae.Objective {
	b.Helper()
	objective, err := cvae.LookupObjective(cvae.Contrastive)
	if err != nil {
		b.Fatal(err)
	}
	return objective
}

// resetPeak lets the peak of the resident memory begin anew.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// reportPeak reports the peak of the resident memory, and the processor's seconds since
// the process began, which other work does not change. Both are known on Linux.
func reportPeak(b *testing.B) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kB, _ := strconv.ParseFloat(fields[1], 64)
			b.ReportMetric(kB/1000, "peak-MB")
		}
	}
	stat, _ := os.ReadFile("/proc/self/stat")
	if fields := strings.Fields(string(stat)); len(fields) > 14 {
		user, _ := strconv.ParseFloat(fields[13], 64)
		system, _ := strconv.ParseFloat(fields[14], 64)
		b.ReportMetric((user+system)/100, "cpu-s")
	}
}
