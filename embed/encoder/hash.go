package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// fileHash is the hash of a model's files. Large ones are hashed when it is asked for.
type fileHash []hashLine

type hashLine struct {
	name string
	data []byte
	sum  [sha256.Size]byte // where data is nil
}

// add hashes a small file.
func (h *fileHash) add(name string, data []byte) {
	*h = append(*h, hashLine{name: name, sum: sha256.Sum256(data)})
}

// later takes a file that stays in memory.
func (h *fileHash) later(name string, data []byte) {
	*h = append(*h, hashLine{name: name, data: data})
}

// sum returns the SHA-256 of all names and hashes.
func (h fileHash) sum() string {
	all := sha256.New()
	for _, l := range h {
		if l.data != nil {
			l.sum = sha256.Sum256(l.data)
		}
		fmt.Fprintf(all, "%s %x\n", l.name, l.sum)
	}
	return hex.EncodeToString(all.Sum(nil))
}
