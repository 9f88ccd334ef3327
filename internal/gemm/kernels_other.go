//go:build !amd64

package gemm

// supported returns the kernels that this machine can run.
func supported() []*kernels { return []*kernels{&goKernels} }

// pause passes some time of a spin loop.
func pause() {
	for range 200 {
	}
}
