package llm_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

// A sampler draws k solutions from any OpenAI-compatible server.
func ExampleSampler() {
	server := httptest.NewServer(rcvaetest.NewOpenAI(rcvaetest.Script{Server: rcvaetest.Ollama})) // in place of a real one
	defer server.Close()
	upstream, err := llm.New(llm.DefaultOptions(server.URL))
	if err != nil {
		panic(err)
	}
	settings := llm.DefaultSettings("qwen2.5-0.5b")
	settings.Template = "Solve step by step. {question}"
	sampler, err := llm.NewSampler(upstream, settings)
	if err != nil {
		panic(err)
	}
	candidates, err := sampler.Sample(context.Background(), "What is 2 + 3?", 4)
	profile, _ := sampler.Profile()
	fmt.Println(len(candidates), candidates[0].Sampler, profile.Mode(), err)
	// Output: 4 top_p fan-out <nil>
}
