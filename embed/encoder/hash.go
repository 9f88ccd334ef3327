package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"rcvae/internal/mapped"
)

// fileHash is the hash of a model's files. Large ones are hashed when it is asked for.
type fileHash []hashLine

type hashLine struct {
	name string
	file *mapped.File
	sum  [sha256.Size]byte // where file is nil
}

// add hashes a small file.
func (h *fileHash) add(name string, data []byte) {
	*h = append(*h, hashLine{name: name, sum: sha256.Sum256(data)})
}

// later takes a file that stays open.
func (h *fileHash) later(name string, file *mapped.File) {
	*h = append(*h, hashLine{name: name, file: file})
}

// sum returns the SHA-256 of all names and hashes.
func (h fileHash) sum() string {
	all := sha256.New()
	for _, l := range h {
		if l.file != nil {
			l.sum = fileSum(l.file)
		}
		fmt.Fprintf(all, "%s %x\n", l.name, l.sum)
	}
	return hex.EncodeToString(all.Sum(nil))
}

// hashedAtOnce is how much of a file is in memory while it is hashed.
const hashedAtOnce = 16 << 20 // bytes

// fileSum returns the SHA-256 of a file, whose pages it gives back.
func fileSum(f *mapped.File) (sum [sha256.Size]byte) {
	all := sha256.New()
	for part := range slices.Chunk(f.Data, hashedAtOnce) {
		all.Write(part)
		f.Drop()
	}
	return [sha256.Size]byte(all.Sum(nil))
}
