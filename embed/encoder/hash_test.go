package encoder

import (
	"crypto/sha256"
	"os"
	"testing"

	"rcvae/internal/mapped"
)

// TestFileSum: the hash of a file in pieces is that of the whole, and the file can still be read.
func TestFileSum(t *testing.T) {
	for _, size := range []int{0, 5, hashedAtOnce, 2*hashedAtOnce + 4097} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i ^ i>>8 ^ i>>16)
		}
		folder := t.TempDir()
		if err := os.WriteFile(folder+"/weights", data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := mapped.Open(os.DirFS(folder), "weights")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, want := fileSum(file), sha256.Sum256(data); got != want {
				t.Errorf("%d bytes: hash %x, want %x", size, got, want)
			}
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}
