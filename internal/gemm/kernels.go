package gemm

import "fmt"

// Kernels returns the name of the kernels in force: "avx512", "avx2" or "go".
func Kernels() string { return "go" }

// Available returns the names of the kernels that this machine can run, fastest first.
func Available() []string { return []string{"go"} }

// Notice returns a sentence for people when RCVAE_KERNELS asked for kernels that
// this machine does not have, and "" otherwise.
func Notice() string { return "" }

// Force switches to the named kernels until restore is called. It is for tests
// and must not run while other goroutines use this package.
func Force(name string) (restore func(), err error) {
	if name != "go" {
		return nil, fmt.Errorf("force kernels %q: this machine has %v", name, Available())
	}
	return func() {}, nil
}
