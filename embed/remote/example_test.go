package remote_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"rcvae"
	"rcvae/embed/remote"
)

func ExampleOpen() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":[{"index":0,"embedding":[3,4]}]}`)
	}))
	defer server.Close()
	embedder, err := remote.Open(context.Background(), "openai+"+server.URL+"/v1?model=small", remote.DefaultOptions())
	if err != nil {
		log.Fatal(err)
	}
	embeddings, err := embedder.Embed(context.Background(), []rcvae.Text{{Role: rcvae.RoleQuestion, Text: "What is 3 + 4?"}})
	fmt.Println(embeddings, err)
	// Output: [[0.6 0.8]] <nil>
}
