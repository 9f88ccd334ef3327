package eval_test

import (
	"testing"

	"rcvae/eval"
)

// The whole of a real pool with the rules that the README shows; embeddings are of
// two dimensions, so this is the time of everything but embedding and the model.
func BenchmarkRun(b *testing.B) {
	questions := pool(b, "pools/gsm8k-test-qwen2.5-coder-0.5b", "top_p")
	c := eval.DefaultConfig()
	c.Selectors = []string{"majority", "vote:entropy", "tiebreak:entropy", "entropy", "vote:logprob", "logprob", "longest", "random"}
	for b.Loop() {
		if _, err := eval.Run(b.Context(), c, questions, sources(1)); err != nil {
			b.Fatal(err)
		}
	}
}
