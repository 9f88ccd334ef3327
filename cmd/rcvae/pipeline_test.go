package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/cvae"
	"rcvae/dataset"
	"rcvae/embed"
	"rcvae/eval"
)

// fixture is a folder with a small pool of made-up questions and a cache that knows
// the embeddings of all its texts, so that commands run in milliseconds: vectors
// are random, with a direction that tells right from wrong.
type fixture struct {
	dir, pool, cache string
}

const (
	fixtureQuestions = 60
	fixtureSamples   = 6
)

func newFixture(t *testing.T) fixture {
	t.Helper()
	dir := t.TempDir()
	f := fixture{dir, filepath.Join(dir, "pool.jsonl.gz"), filepath.Join(dir, "cache.sqlite")}
	questions := make([]rcvae.Question, fixtureQuestions)
	for q := range questions {
		questions[q] = fixtureQuestion(q)
	}
	if err := dataset.SavePool(f.pool, questions); err != nil {
		t.Fatal(err)
	}
	for _, name := range embedderNames() {
		f.fill(t, name, questions)
	}
	return f
}

func fixtureQuestion(q int) rcvae.Question {
	question := rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprintf("q%d", q), Question: fmt.Sprintf("What is %d + 1?", q), Answer: fmt.Sprint(q + 1)}}
	for s := range fixtureSamples {
		answer, verdict := q+1, rcvae.Correct
		if s%3 != q%3 {
			answer, verdict = answer+1+s%2, rcvae.Incorrect
		}
		text := fmt.Sprintf("Attempt %d of question %d: the answer is %d.", s, q, answer)
		question.Candidates = append(question.Candidates, rcvae.Candidate{
			Text: text, Answer: fmt.Sprint(answer), AnswerFrom: "phrase", Sampler: "top_p", Finish: "stop", Verdict: verdict,
		})
	}
	return question
}

// sidedEmbedder stands for a real embedder: random vectors, with a direction that tells
// correct from incorrect.
type sidedEmbedder struct {
	rcvae.Embedder
	verdicts map[string]rcvae.Verdict // by text
}

func (s sidedEmbedder) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	side := map[rcvae.Verdict]float64{rcvae.Correct: 3, rcvae.Incorrect: -3}
	out := make([]rcvae.Embedding, len(texts))
	for i, text := range texts {
		h := fnv.New64a()
		h.Write([]byte(text.Text))
		rng := rand.New(rand.NewPCG(h.Sum64(), 7))
		e := make(rcvae.Embedding, s.Fingerprint().Dimension)
		var square float64
		for j := range e {
			v := rng.NormFloat64()
			if j < 8 {
				v += side[s.verdicts[text.Text]]
			}
			e[j] = float32(v)
			square += v * v
		}
		for j := range e {
			e[j] /= float32(math.Sqrt(square))
		}
		out[i] = e
	}
	return out, nil
}

// fill puts embeddings of all texts under the named embedder's fingerprint into the
// cache.
func (f fixture) fill(t *testing.T, name string, questions []rcvae.Question) {
	t.Helper()
	embedder, err := newEmbedder(t.Context(), name, embedderSettings{})
	if err != nil {
		t.Fatal(err)
	}
	sided := sidedEmbedder{embedder, map[string]rcvae.Verdict{}}
	for _, q := range questions {
		for _, c := range q.Candidates {
			sided.verdicts[c.Text] = c.Verdict
		}
	}
	cache, err := embed.OpenCache(f.cache, sided)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	if _, err := embed.Encode(t.Context(), cache, questions); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) path(name string) string { return filepath.Join(f.dir, name) }

// train trains a model and returns its path.
func (f fixture) train(t *testing.T, name string, args ...string) string {
	t.Helper()
	out := f.path(name)
	got := rcvaeRun(t, "", append([]string{"train", "--pool", f.pool, "--out", out, "--cache", f.cache, "--epochs", "6"}, args...)...)
	if got.code != exitOK {
		t.Fatalf("train: exit code %d\n%s", got.code, got.stderr)
	}
	return out
}

func TestTrainEvalSelect(t *testing.T) {
	f := newFixture(t)
	model := f.train(t, "m.rcvae")
	if _, err := os.Stat(model + ".checkpoint"); err == nil {
		t.Error("the checkpoint of a finished training is still there")
	}
	log, err := os.ReadFile(model + ".log.jsonl")
	if err != nil || bytes.Count(log, []byte("\n")) != 6 {
		t.Errorf("training log has %d lines, want 6 (%v)", bytes.Count(log, []byte("\n")), err)
	}
	out := f.path("result.json")
	args := []string{"eval", "--pool", f.pool, "--model", model, "-k", "2,4", "--out", out, "--cache", f.cache}
	if got := rcvaeRun(t, "", args...); got.code != exitOK || !strings.Contains(got.stdout, "vote:entropy") {
		t.Fatalf("eval: exit code %d, output %q\n%s", got.code, got.stdout, got.stderr)
	}
	first, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	result, err := eval.ReadJSON(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range result.Pools[0].Selectors {
		if s.Name == "entropy" && s.VsMean.Diff < 0.3 {
			t.Errorf("lowest entropy gains %+.2f over a random candidate on separable data, want at least +0.3", s.VsMean.Diff)
		}
	}
	rcvaeRun(t, "", args...)
	if second, _ := os.ReadFile(out); !bytes.Equal(first, second) {
		t.Error("two runs of eval wrote different bytes")
	}
	question := fixtureQuestion(4)
	var lines strings.Builder
	for _, s := range question.Candidates {
		line, _ := json.Marshal(map[string]string{"text": s.Text})
		lines.Write(append(line, '\n'))
	}
	got := rcvaeRun(t, lines.String(), "select", "--model", model, "--question", question.Question, "--json", "--cache", f.cache)
	var chosen choice
	if err := json.Unmarshal([]byte(got.stdout), &chosen); err != nil {
		t.Fatalf("select: %v\n%s", err, got.stderr)
	}
	if chosen.Answer != question.Answer {
		t.Errorf("select chose the answer %s, want %s: %s", chosen.Answer, question.Answer, chosen.Reason)
	}
	if got := rcvaeRun(t, "", "inspect", model); !strings.Contains(got.stdout, "units active") {
		t.Errorf("inspect printed %q", got.stdout)
	}
}

func TestInterruptedTrainingResumesBitIdentical(t *testing.T) {
	f := newFixture(t)
	whole := f.train(t, "whole.rcvae")
	out := f.path("parts.rcvae")
	args := []string{"train", "--pool", f.pool, "--out", out, "--cache", f.cache, "--epochs", "6"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr bytes.Buffer
	// The log line of the third epoch is the signal.
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for ctx.Err() == nil {
			if log, _ := os.ReadFile(out + ".log.jsonl"); bytes.Count(log, []byte("\n")) >= 2 {
				cancel()
			}
		}
	}()
	code := run(ctx, args, strings.NewReader(""), &bytes.Buffer{}, &stderr)
	cancel()
	<-stop
	if code == exitOK {
		t.Skip("training was faster than the interruption")
	}
	if code != exitFailure || !strings.Contains(stderr.String(), "--resume") {
		t.Fatalf("interrupted: exit code %d, error %q, want 1 and how to continue", code, stderr.String())
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("an interrupted training left a model file")
	}
	if got := rcvaeRun(t, "", append(args, "--resume")...); got.code != exitOK {
		t.Fatalf("resume: exit code %d\n%s", got.code, got.stderr)
	}
	if a, b := tensors(t, whole), tensors(t, out); !bytes.Equal(a, b) {
		t.Error("the resumed training has other weights than the uninterrupted one")
	}
}

// tensors returns the data part of a model file: everything but its metadata.
func tensors(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := int(data[0]) | int(data[1])<<8 | int(data[2])<<16
	return data[8+header:]
}

func TestBadInput(t *testing.T) {
	f := newFixture(t)
	model := f.train(t, "m.rcvae")
	pool, err := os.ReadFile(f.pool)
	if err != nil {
		t.Fatal(err)
	}
	flipped, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	flipped[len(flipped)/2] ^= 1
	out := f.path("out")
	foreign := f.foreignModel(t)
	trainOn := func(pool string) []string { return []string{"train", "--pool", pool, "--out", out, "--cache", f.cache} }
	for _, tt := range []struct {
		name string
		args []string
		want []string // parts of the one-line error
	}{
		{"truncated gzip", trainOn(writeFile(t, "cut.jsonl.gz", string(pool[:len(pool)/2]))), []string{"cut.jsonl.gz:", "truncated"}},
		{"missing field", trainOn(writeFile(t, "field.jsonl", `{"id":"a","question":"q","candidates":[{"answer":"1"}]}`)), []string{"field.jsonl:1:", `"text"`}},
		{"not JSON", trainOn(writeFile(t, "bad.jsonl", "{\"id\":\n")), []string{"bad.jsonl:1:"}},
		{"candidate of 1 MB", trainOn(writeFile(t, "huge.jsonl", `{"id":"a","question":"q","candidates":[{"text":"`+strings.Repeat("x", 1<<20)+`","correct":true}]}`)), []string{"huge.jsonl:1:", "candidate 1", "cut or drop"}},
		{"empty pool", trainOn(writeFile(t, "empty.jsonl", "")), []string{"empty.jsonl", "it is empty"}},
		{"empty gzip pool", trainOn(writeFile(t, "empty.jsonl.gz", gzipped(t, ""))), []string{"empty.jsonl.gz", "it is empty"}},
		{"no such pool", trainOn(f.path("nowhere.jsonl")), []string{"nowhere.jsonl", "no such file"}},
		{"no contrast", trainOn(writeFile(t, "right.jsonl", `{"id":"q0","question":"What is 0 + 1?","candidates":[{"text":"Attempt 0 of question 0: the answer is 1.","answer":"1","correct":true}]}`)), []string{"correct and an incorrect"}},
		{"flipped bit", []string{"eval", "--pool", f.pool, "--model", writeFile(t, "flip.rcvae", string(flipped)), "--out", out, "--cache", f.cache}, []string{"flip.rcvae"}},
		{"model of another embedder", []string{"eval", "--pool", f.pool, "--model", foreign, "--out", out, "--cache", f.cache}, []string{"foreign.rcvae", "another-encoder", "minilm"}},
		{"not a model", []string{"inspect", f.pool}, []string{"pool.jsonl.gz"}},
		{"no output folder", []string{"train", "--pool", f.pool, "--out", f.path("no/such/m.rcvae"), "--cache", f.cache}, []string{"does not exist"}},
		{"foreign cache", []string{"train", "--pool", f.pool, "--out", out, "--cache", f.pool}, []string{"pool.jsonl.gz", "cache"}},
		{"no such sampler", append(trainOn(f.pool), "--sampler", "beam"), []string{"beam", "--sampler"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := rcvaeRun(t, "", append(tt.args, "--quiet")...)
			if got.code != exitFailure {
				t.Errorf("exit code %d, want %d\n%s", got.code, exitFailure, got.stderr)
			}
			if n := strings.Count(strings.TrimSpace(got.stderr), "\n"); n != 0 {
				t.Errorf("the error has %d lines, want 1:\n%s", n+1, got.stderr)
			}
			for _, part := range tt.want {
				if !strings.Contains(got.stderr, part) {
					t.Errorf("error %q, want %q in it", got.stderr, part)
				}
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a partial output file is left behind")
			}
		})
	}
}

// foreignModel writes a model that was trained on the embeddings of another embedder.
func (f fixture) foreignModel(t *testing.T) string {
	t.Helper()
	return modelOn(t, f.path("foreign.rcvae"), rcvae.Fingerprint{Name: "another-encoder", Dimension: 4, Normalized: true})
}

// modelOn writes a model that was trained on the embedder of that fingerprint.
func modelOn(t *testing.T, path string, fp rcvae.Fingerprint) string {
	t.Helper()
	unit := func(i int) rcvae.Embedding {
		e := make(rcvae.Embedding, fp.Dimension)
		e[i] = 1
		return e
	}
	one := rcvae.Encoded{
		Question:  rcvae.Question{Problem: rcvae.Problem{ID: "q"}, Candidates: []rcvae.Candidate{{Answer: "1", Verdict: rcvae.Correct}, {Answer: "2", Verdict: rcvae.Incorrect}}},
		Embedding: unit(0),
		Solutions: []rcvae.Solution{{Embedding: unit(1)}, {Embedding: unit(2)}},
	}
	config := cvae.DefaultConfig(cvae.Contrastive, fp.Dimension)
	config.Epochs = 1
	model, err := cvae.Train(t.Context(), config, []rcvae.Encoded{one}, cvae.Options{Fingerprint: fp})
	if err != nil {
		t.Fatal(err)
	}
	if err := model.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEvalSaysWhichPoolAndModel: of two pools and two models, which are also measured
// alone.
func TestEvalSaysWhichPoolAndModel(t *testing.T) {
	f := newFixture(t)
	one, two := f.train(t, "one.rcvae"), f.train(t, "two.rcvae", "--seed", "2")
	r := rcvaeRun(t, "", "eval", "--pool", f.pool, "--pool", f.pool, "--model", one, "--model", two, "--cache", f.cache, "--subsets", "2")
	want := fmt.Sprintf("selecting by all models and by each alone, pool 2 of 2, pool: %d questions in ", 3*fixtureQuestions)
	if r.code != 0 || !strings.Contains(r.stderr, want) {
		t.Errorf("exit code %d, %q is not in %s", r.code, want, r.stderr)
	}
}
