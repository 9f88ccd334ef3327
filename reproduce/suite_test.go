package reproduce_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/llm"
	"rcvae/reproduce"
)

func problems(n int) (list []rcvae.Problem) {
	for i := range n {
		list = append(list, rcvae.Problem{ID: fmt.Sprintf("p%02d", i), Question: fmt.Sprintf("What is %d?", i), Answer: fmt.Sprint(i)})
	}
	return list
}

func ids(list []rcvae.Problem) (out []string) {
	for _, p := range list {
		out = append(out, p.ID)
	}
	return out
}

func TestSubset(t *testing.T) {
	all := problems(50)
	first := ids(reproduce.Subset(all, 10, 1))
	if len(first) != 10 || !slices.IsSorted(first) || len(slices.Compact(slices.Clone(first))) != 10 {
		t.Errorf("Subset(10) = %v, want ten different problems in their order", first)
	}
	if again := ids(reproduce.Subset(all, 10, 1)); !slices.Equal(again, first) {
		t.Errorf("the same seed gives %v and %v", first, again)
	}
	if other := ids(reproduce.Subset(all, 10, 2)); slices.Equal(other, first) {
		t.Errorf("another seed gives the same problems %v", other)
	}
	for _, n := range []int{0, 50, 60} {
		if got := len(reproduce.Subset(all, n, 1)); got != 50 {
			t.Errorf("Subset(%d) has %d problems, want all 50", n, got)
		}
	}
}

// TestArmsAreThePapers: the settings that the paper and the released code name.
func TestArmsAreThePapers(t *testing.T) {
	for i, want := range []struct {
		name              string
		samples, topK     int
		temperature, topP float64
	}{
		{reproduce.Greedy, 1, 0, 0, 1},
		{reproduce.AuthorsGreedy, 1, 0, 1, 1},
		{reproduce.TopK, 16, 32, 0.7, 1},
		{reproduce.TopP, 16, 0, 0.7, 0.9},
	} {
		got := reproduce.Arms(llm.DefaultSettings("m"), 16)[i]
		s := got.Settings
		if got.Name != want.name || got.Samples != want.samples || s.TopK != want.topK || s.Temperature != want.temperature || s.TopP != want.topP {
			t.Errorf("arm %d is %+v, want %+v", i, got, want)
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", want.name, err)
		}
	}
}

func TestFromPoolSortsBySampler(t *testing.T) {
	q := rcvae.Question{Problem: problems(1)[0]}
	for i, sampler := range strings.Fields("greedy top_p top_k top_p top_p") {
		q.Candidates = append(q.Candidates, rcvae.Candidate{Text: fmt.Sprint(i), Sampler: sampler})
	}
	s, err := reproduce.FromPool(reproduce.GSM8K, []rcvae.Question{q}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for arm, want := range map[string]string{reproduce.Greedy: "0", reproduce.TopK: "2", reproduce.TopP: "1 3"} {
		var got []string
		for _, c := range s.Arms[arm][0].Candidates {
			got = append(got, c.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s has candidates %v, want %s", arm, got, want)
		}
	}
	if _, ok := s.Arms[reproduce.AuthorsGreedy]; ok {
		t.Error("an arm without candidates is there")
	}
	q.Candidates = q.Candidates[:1]
	if _, err := reproduce.FromPool(reproduce.GSM8K, []rcvae.Question{q}, 2); err == nil {
		t.Error("a pool without top-p samples gives no error")
	}
}
