package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/embed"
	"rcvae/internal/atomicfile"
)

// mostRemembered is how many fingerprints stand beside a cache. Beyond, all are forgotten,
// which costs one reading of each model.
const mostRemembered = 100

// openRemembered opens an embedder of files. A fingerprint takes a hash of all of them; it
// is remembered beside the cache for files of the same place, size and time of change, so
// that nothing of a model is read while all texts are in the cache. When a model is opened
// its files are hashed: others under an old stamp are an error, and forgotten. What is
// remembered is no reason to refuse what is wanted, if that is not nil: then they are
// hashed at once.
func openRemembered(cmd *cobra.Command, name string, s embedderSettings, want *rcvae.Fingerprint) (rcvae.Embedder, error) {
	open := func() (rcvae.Embedder, error) { return newEmbedder(cmd.Context(), name, s) }
	file, key := rememberedAs(cmd, name, s)
	if key == "" {
		return open()
	}
	keep := func() (rcvae.Embedder, error) {
		e, err := open()
		if err == nil {
			remember(file, key, e.Fingerprint())
		}
		return e, err
	}
	fingerprint, known := readRemembered(file)[key]
	if !known || want != nil && !fingerprint.Same(*want) { // is that so
		return keep()
	}
	fingerprint.Name = name
	return embed.NewLazy(fingerprint, keep), nil
}

// rememberedAs returns the file for the embedder's fingerprint and its key in there, ""
// for embedders without files, without a cache, or with flags that are to be refused.
func rememberedAs(cmd *cobra.Command, name string, s embedderSettings) (file, key string) {
	kind, err := kindOf(name)
	if err != nil || kind.files == nil {
		return "", ""
	}
	cache, err := cachePath(cmd)
	if err != nil || cache == "" {
		return "", ""
	}
	path, err := kind.files(name)
	if err != nil {
		return "", ""
	}
	stamp, err := fileStamp(path)
	if err == nil && s.Adapter != "" {
		var adapter string
		adapter, err = fileStamp(s.Adapter)
		stamp += adapter
	}
	if err != nil {
		return "", ""
	}
	text, err := json.Marshal([]any{version, commit, stamp, s}) // another build may hash otherwise
	if err != nil {
		return "", ""
	}
	sum := sha256.Sum256(text)
	return cache + ".embedders", hex.EncodeToString(sum[:])
}

// readRemembered returns what the file holds, nothing of one that cannot be read.
func readRemembered(file string) map[string]rcvae.Fingerprint {
	all := map[string]rcvae.Fingerprint{}
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &all) != nil {
		return map[string]rcvae.Fingerprint{}
	}
	return all
}

// remember keeps a fingerprint. Where it cannot be written, or another process writes at
// the same moment, the model is read once more.
func remember(file, key string, fingerprint rcvae.Fingerprint) {
	all := readRemembered(file)
	if all[key] == fingerprint {
		return
	}
	if len(all) >= mostRemembered {
		clear(all)
	}
	all[key] = fingerprint
	_ = atomicfile.Write(file, func(w io.Writer) error { return json.NewEncoder(w).Encode(all) })
}

// fileStamp tells a file, or the files of a folder, from others that stood there before.
func fileStamp(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", err
	}
	var stamp []string
	err = filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(name) // of what a link leads to
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a link to nothing
		}
		if err == nil && info.Mode().IsRegular() {
			stamp = append(stamp, stampOf(name, info))
		}
		return err
	})
	return strings.Join(stamp, ", "), err
}
