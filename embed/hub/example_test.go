package hub_test

import (
	"errors"
	"fmt"
	"log"
	"os"

	"rcvae/embed/hub"
)

func ExampleCache_Find() {
	home, err := os.MkdirTemp("", "hub")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	cache, err := hub.FromEnvironment(func(name string) string {
		return map[string]string{"HF_HOME": home}[name] // os.Getenv in a program
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = cache.Find("BAAI/bge-small-en-v1.5")
	fmt.Println(errors.Is(err, hub.ErrNotCached))
	// Output: true
}
