package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
)

// fileHash is the hash of a model's files. Large ones are hashed while the model is
// built.
type fileHash struct {
	wait  sync.WaitGroup
	lines []*hashLine
}

type hashLine struct {
	name string
	sum  [sha256.Size]byte
}

func newHash() *fileHash { return &fileHash{} }

func (h *fileHash) line(name string) *hashLine {
	l := &hashLine{name: name}
	h.lines = append(h.lines, l)
	return l
}

// add hashes a small file.
func (h *fileHash) add(name string, data []byte) { h.line(name).sum = sha256.Sum256(data) }

// later hashes a large file in the background. The data must stay until sum.
func (h *fileHash) later(name string, data []byte) {
	l := h.line(name)
	h.wait.Go(func() { l.sum = sha256.Sum256(data) })
}

// sum returns the SHA-256 of all names and hashes.
func (h *fileHash) sum() string {
	h.wait.Wait()
	all := sha256.New()
	for _, l := range h.lines {
		fmt.Fprintf(all, "%s %x\n", l.name, l.sum)
	}
	return hex.EncodeToString(all.Sum(nil))
}
