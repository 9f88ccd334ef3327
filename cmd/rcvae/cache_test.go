package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/embed"
	"rcvae/embed/minilm"
)

// TestShardsAreMergedIntoOneCache: three machines embed a part each, and train finds
// everything in the merged cache.
func TestShardsAreMergedIntoOneCache(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var questions []rcvae.Question
	for i := range 20 {
		q := fixtureQuestion(i)
		q.Candidates = q.Candidates[:2]
		questions = append(questions, q)
	}
	if err := dataset.SavePool(path("pool.jsonl"), questions); err != nil {
		t.Fatal(err)
	}
	args := []string{"cache", "merge", "--out", path("merged")}
	for i := 1; i <= 3; i++ {
		part := path(fmt.Sprint("part", i))
		ok(t, "embed", "--pool", path("pool.jsonl"), "--embedder", "minilm", "--shard", fmt.Sprintf("%d/3", i), "--cache", part)
		args = append(args, part)
	}
	ok(t, args...)
	ok(t, "embed", "--pool", path("pool.jsonl"), "--embedder", "minilm", "--cache", path("whole"))
	var infos []embed.CacheInfo
	if err := json.Unmarshal([]byte(ok(t, append([]string{"cache", "info", "--json", path("whole"), path("merged")}, args[4:]...)...).stdout), &infos); err != nil {
		t.Fatal(err)
	}
	whole, merged := infos[0].Embedders[0], infos[1].Embedders[0]
	if whole != merged || whole.Texts < 40 || whole.Dimension != 384 {
		t.Errorf("the merged cache has %+v, that of one process %+v", merged, whole)
	}
	for _, part := range infos[2:] {
		if len(part.Embedders) != 1 || part.Embedders[0].Texts >= whole.Texts {
			t.Errorf("%s holds %+v, want a part of %d texts", part.File, part.Embedders, whole.Texts)
		}
	}
	again := ok(t, "cache", "merge", "--out", path("whole"), path("merged"))
	if want := fmt.Sprintf("0 embeddings added, %d were there; 0 differ", whole.Texts); !strings.Contains(again.stdout, want) {
		t.Errorf("%q, want %q", again.stdout, want)
	}
}

func TestEmbedPoolsSaysWhatToDo(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--pool", f.pool, "--shard", "4/3"}, "for example 1/8"},
		{[]string{"--pool", f.pool, "--shard", "0/3"}, "for example 1/8"},
		{[]string{"--pool", f.pool, "--shard", "one"}, "for example 1/8"},
		{[]string{"--shard", "1/3"}, "--pool, which is missing"},
		{[]string{"--pool", f.pool, "--in", f.pool}, "leave out --in"},
		{[]string{"--pool", f.pool, "--cache", "none"}, "--cache says that there is none"},
	} {
		if got := rcvaeRun(t, "", append([]string{"embed"}, tt.args...)...); got.code != exitUsage || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%q: exit code %d, %q, want %q", tt.args, got.code, got.stderr, tt.want)
		}
	}
	if got := rcvaeRun(t, "", "cache", "merge", "--out", f.cache, f.cache); got.code != exitUsage || !strings.Contains(got.stderr, "name another") {
		t.Errorf("a cache is merged into itself: %q", got.stderr)
	}
	if got := rcvaeRun(t, "", "embed", "--pool", f.pool, "--embedder", minilm.Name, "--cache", f.cache); got.code != exitOK {
		t.Errorf("a pool whose embeddings are there: %q", got.stderr)
	}
}

// TestEveryQuestionIsInOneShard, whatever their number.
func TestEveryQuestionIsInOneShard(t *testing.T) {
	for n := 1; n < 6; n++ {
		for q := range 200 {
			in := 0
			for i := 1; i <= n; i++ {
				if (shard{i, n}).has(fmt.Sprint("question-", q)) {
					in++
				}
			}
			if in != 1 {
				t.Fatalf("question %d is in %d of %d parts", q, in, n)
			}
		}
	}
}
