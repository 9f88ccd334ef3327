// Package hub keeps models of a Hugging Face hub in the folders that Python's client
// keeps them in, so that both programs share them.
//
// [Cache.Find] looks a model up and opens no connection; [Cache.Get] is the only
// function that does. It takes no more files than an encoder reads, continues where an
// interrupted call stopped, and checks every file against the hash that names it.
package hub

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// publicEndpoint is the hub that is asked unless HF_ENDPOINT names another.
const publicEndpoint = "https://huggingface.co"

// Cache is a folder of models and the hub that they come from.
type Cache struct {
	Dir      string // folder that holds models--ORG--NAME
	Endpoint string // URL of the hub
	Token    string // sent to the hub and to no other host; may be empty
	Offline  bool   // Get is an error

	// AcceptLicense names the licence that the caller agrees to, for models whose licence
	// is not free for all uses, such as "cc-by-nc-4.0".
	AcceptLicense string

	Client   *http.Client            // nil: one of this package
	Progress func(done, total int64) // told how many bytes are there, if not nil
}

// FromEnvironment returns the cache that Python's client would use: HF_HUB_CACHE, else
// HF_HOME/hub, else huggingface/hub in the user's cache folder. HF_TOKEN or the file
// HF_HOME/token holds the token, HF_ENDPOINT the hub; HF_HUB_OFFLINE forbids connections.
func FromEnvironment(env func(string) string) (Cache, error) {
	home := env("HF_HOME")
	if home == "" {
		base := env("XDG_CACHE_HOME")
		if base == "" {
			user, err := os.UserHomeDir()
			if err != nil {
				return Cache{}, fmt.Errorf("find the hub cache: %w; set HF_HOME", err)
			}
			base = filepath.Join(user, ".cache")
		}
		home = filepath.Join(base, "huggingface")
	}
	c := Cache{
		Dir:      cmp.Or(env("HF_HUB_CACHE"), env("HUGGINGFACE_HUB_CACHE"), filepath.Join(home, "hub")),
		Endpoint: strings.TrimRight(cmp.Or(env("HF_ENDPOINT"), publicEndpoint), "/"),
		Token:    strings.TrimSpace(env("HF_TOKEN")),
		Offline:  isTrue(env("HF_HUB_OFFLINE")) || isTrue(env("TRANSFORMERS_OFFLINE")),
	}
	if c.Token == "" {
		data, err := os.ReadFile(cmp.Or(env("HF_TOKEN_PATH"), filepath.Join(home, "token")))
		if err == nil { // there mostly is none
			c.Token = strings.TrimSpace(string(data))
		}
	}
	if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.User != nil {
		return c, fmt.Errorf("HF_ENDPOINT is %q, want a URL such as %s", c.Endpoint, publicEndpoint)
	}
	return c, nil
}

func isTrue(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// Name is ORG/NAME with the revision that may follow behind an @.
type Name struct{ Repository, Revision string }

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(@[A-Za-z0-9][\w.-]{0,95})?$`)

// ParseName reads ORG/NAME or ORG/NAME@REVISION: a branch, a tag or a commit. Without
// one the revision is "main".
func ParseName(text string) (Name, error) {
	if !nameForm.MatchString(text) || strings.Contains(text, "..") {
		return Name{}, fmt.Errorf("%q is not the name of a model on a hub: want ORG/NAME or ORG/NAME@REVISION", text)
	}
	repository, revision, _ := strings.Cut(text, "@")
	return Name{repository, cmp.Or(revision, "main")}, nil
}

// String returns the name as it is typed.
func (n Name) String() string {
	if n.Revision == "main" {
		return n.Repository
	}
	return n.Repository + "@" + n.Revision
}

// ErrNotCached says that a model is not in the cache.
var ErrNotCached = errors.New("not in the hub cache")

// Find returns the folder of a model that is in the cache. It opens no connection. A
// model that is not there is [ErrNotCached].
func (c Cache) Find(text string) (folder string, err error) {
	name, err := ParseName(text)
	if err != nil {
		return "", err
	}
	commit := name.Revision
	if data, err := os.ReadFile(c.path(name, "refs", name.Revision)); err == nil {
		commit = strings.TrimSpace(string(data))
	}
	folder = c.path(name, "snapshots", commit)
	if info, err := os.Stat(filepath.Join(folder, "config.json")); err != nil || info.IsDir() {
		return "", fmt.Errorf("%v is %w %s", name, ErrNotCached, c.Dir)
	}
	return folder, nil
}

// List returns the names of the models whose main revision is in the cache, in order.
func (c Cache) List() []string {
	var names []string
	folders, _ := filepath.Glob(filepath.Join(c.Dir, "models--*--*"))
	for _, folder := range folders {
		text := strings.Replace(strings.TrimPrefix(filepath.Base(folder), "models--"), "--", "/", 1)
		if _, err := c.Find(text); err == nil {
			names = append(names, text)
		}
	}
	return names
}

// path returns a path in a model's folder.
func (c Cache) path(n Name, parts ...string) string {
	repository := "models--" + strings.ReplaceAll(n.Repository, "/", "--")
	return filepath.Join(append([]string{c.Dir, repository}, parts...)...)
}
