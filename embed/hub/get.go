package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// maxPages bounds a list of files.
const maxPages = 100

// Snapshot is what [Cache.Get] got.
type Snapshot struct {
	Folder  string // as [Cache.Find] returns it
	Commit  string
	License string // "unknown" if the model names none
	Bytes   int64  // of the model's files, those that were there included
}

// Get brings a model into the cache: configuration, tokenizer, pooling and weights in
// safetensors, each checked against the hash that names it on the hub. Files that are
// there are not asked for again, and an interrupted one is continued. A model whose
// licence is not free for all uses is an error until [Cache].AcceptLicense names it.
func (c Cache) Get(ctx context.Context, text string) (Snapshot, error) {
	name, err := ParseName(text)
	if err != nil {
		return Snapshot{}, err
	}
	if c.Offline {
		return Snapshot{}, fmt.Errorf("get %v: HF_HUB_OFFLINE forbids connections to a hub", name)
	}
	s, err := c.get(ctx, name)
	if err != nil {
		return s, fmt.Errorf("get %v from %s: %w", name, c.Endpoint, err)
	}
	return s, nil
}

func (c Cache) get(ctx context.Context, name Name) (Snapshot, error) {
	about, err := c.about(ctx, name)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Folder: c.path(name, "snapshots", about.Commit), Commit: about.Commit, License: about.license()}
	if err := c.checkLicense(s.License); err != nil {
		return s, err
	}
	files, err := c.files(ctx, name, about.Commit)
	if err != nil {
		return s, err
	}
	for _, f := range files {
		s.Bytes += f.Size
	}
	if err := c.prepare(name); err != nil {
		return s, err
	}
	var done int64
	for _, f := range files {
		report := func(part int64) {
			if c.Progress != nil {
				c.Progress(done+part, s.Bytes)
			}
		}
		if err := c.fetch(ctx, name, about.Commit, f, report); err != nil {
			return s, fmt.Errorf("%s: %w", f.Path, err)
		}
		done += f.Size
	}
	return s, c.writeRef(name, about.Commit)
}

// about is what the hub says of a revision.
type about struct {
	Commit string   `json:"sha"`
	Tags   []string `json:"tags"`
	Card   struct {
		License any `json:"license"`
	} `json:"cardData"`
}

func (a about) license() string {
	if id := licenseOf(a.Card.License); id != "" {
		return id
	}
	for _, tag := range a.Tags {
		if id, ok := strings.CutPrefix(tag, "license:"); ok {
			return id
		}
	}
	return noLicense
}

func (c Cache) checkLicense(id string) error {
	if FreeLicense(id) || strings.EqualFold(id, c.AcceptLicense) {
		return nil
	}
	if id == noLicense {
		return fmt.Errorf("the model names no licence: read its page, and if its terms allow your use, add --accept-license %s", id)
	}
	return fmt.Errorf("its licence %s is not free for all uses: read it, and if it allows your use, add --accept-license %s", id, id)
}

var commitForm = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (c Cache) about(ctx context.Context, name Name) (about, error) {
	var a about
	_, err := c.document(ctx, c.Endpoint+"/api/models/"+name.Repository+"/revision/"+url.PathEscape(name.Revision), &a)
	if err == nil && !commitForm.MatchString(a.Commit) {
		err = fmt.Errorf("the commit is %q: this is not a hub", a.Commit)
	}
	return a, err
}

// file is a file of a revision.
type file struct {
	Type string `json:"type"`
	Path string `json:"path"`
	Size int64  `json:"size"`
	OID  string `json:"oid"` // SHA-1 of the Git blob
	LFS  *struct {
		OID  string `json:"oid"` // SHA-256
		Size int64  `json:"size"`
	} `json:"lfs"`
}

// etag is the hash that the file is kept under: the SHA-256 of large files, the SHA-1 of
// the Git blob of the others.
func (f file) etag() string {
	if f.LFS != nil {
		return f.LFS.OID
	}
	return f.OID
}

// The files that an encoder reads, at the top or in a module's folder such as 1_Pooling.
var (
	moduleFolder = regexp.MustCompile(`^\d+_\w+$`)
	smallFile    = regexp.MustCompile(`^(config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|modules|config_sentence_transformers|sentence_\w+_config)\.json$|^(vocab|merges)\.txt$|^vocab\.json$`)
	shardFile    = regexp.MustCompile(`^model-\d+-of-\d+\.safetensors$|^model\.safetensors\.index\.json$`)
	hashForm     = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
)

// files returns the files that are needed.
func (c Cache) files(ctx context.Context, name Name, commit string) ([]file, error) {
	all, err := c.tree(ctx, name, commit)
	if err != nil {
		return nil, err
	}
	whole := map[string]bool{} // folders with weights in one file
	for _, f := range all {
		if path.Base(f.Path) == "model.safetensors" {
			whole[path.Dir(f.Path)] = true
		}
	}
	var needed []file
	weights := false
	for _, f := range all {
		dir, base := path.Dir(f.Path), path.Base(f.Path)
		shard := shardFile.MatchString(base) && !whole[dir]
		if f.Type != "file" || dir != "." && !moduleFolder.MatchString(dir) ||
			!shard && base != "model.safetensors" && !smallFile.MatchString(base) && f.Path != "README.md" {
			continue
		}
		if f.LFS != nil {
			f.Size = f.LFS.Size
		}
		if !fs.ValidPath(f.Path) || !hashForm.MatchString(f.etag()) || f.Size < 0 {
			return nil, fmt.Errorf("the hub lists %q with the hash %q and %d bytes", f.Path, f.etag(), f.Size)
		}
		weights = weights || strings.HasSuffix(base, ".safetensors")
		needed = append(needed, f)
	}
	if !weights {
		return nil, errors.New("the model has no model.safetensors: weights in other files are not read")
	}
	return needed, nil
}

// tree returns all files of a commit, page by page.
func (c Cache) tree(ctx context.Context, name Name, commit string) ([]file, error) {
	var all []file
	next := c.Endpoint + "/api/models/" + name.Repository + "/tree/" + commit + "?recursive=true&expand=false"
	for range maxPages {
		var page []file
		header, err := c.document(ctx, next, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if next = nextPage(header); next == "" {
			return all, nil
		}
		if !strings.HasPrefix(next, c.Endpoint+"/") {
			return nil, fmt.Errorf("the list of files goes on at %s, which is another host", next)
		}
	}
	return nil, fmt.Errorf("the list of files has more than %d pages", maxPages)
}

var nextLink = regexp.MustCompile(`<([^>]+)>;\s*rel="next"`)

func nextPage(header http.Header) string {
	if m := nextLink.FindStringSubmatch(header.Get("Link")); m != nil {
		return m[1]
	}
	return ""
}

// prepare makes the folders of a model.
func (c Cache) prepare(name Name) error {
	for _, dir := range []string{c.path(name, "blobs"), c.path(name, "refs"), filepath.Join(c.Dir, ".locks", filepath.Base(c.path(name)))} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	tag := filepath.Join(c.Dir, "CACHEDIR.TAG")
	if _, err := os.Stat(tag); errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(tag, []byte("Signature: 8a477f597d28d172789f06886806bc55\n"), 0o644)
	}
	return nil
}
