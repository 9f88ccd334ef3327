package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"rcvae/internal/retry"
)

const (
	retries     = 5
	maxDocument = 16 << 20 // bytes of a list of files
	maxPages    = 100      // of a list of files
)

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

// document reads a JSON document into v.
func (c Cache) document(ctx context.Context, address string, v any) (header http.Header, err error) {
	err = retry.Do(ctx, retries, func() error {
		response, err := c.request(ctx, address, 0)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		data, err := io.ReadAll(io.LimitReader(response.Body, maxDocument))
		if err != nil {
			return passing(ctx, fmt.Errorf("%s: %w", address, err))
		}
		if err := json.Unmarshal(data, v); err != nil {
			return fmt.Errorf("%s: %w", address, err)
		}
		header = response.Header
		return nil
	})
	return header, err
}

// request makes a GET from an offset on. A status that is not one of success is an error.
func (c Cache) request(ctx context.Context, address string, from int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "rcvae")
	request.Header.Set("Accept-Encoding", "identity") // the hash is that of the bytes as they are
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if from > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	response, err := c.client().Do(request)
	if err != nil {
		return nil, passing(ctx, err)
	}
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusPartialContent {
		return response, nil
	}
	defer response.Body.Close()
	return nil, c.refused(response)
}

// client returns an HTTP client that keeps the token from other hosts than the hub.
func (c Cache) client() *http.Client {
	client := http.Client{}
	if c.Client != nil {
		client = *c.Client
	}
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		if r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
			r.Header.Del("Authorization")
		}
		return nil
	}
	return &client
}

// refused explains a response without what was asked for.
func (c Cache) refused(response *http.Response) error {
	code := response.Header.Get("X-Error-Code")
	message := cmp.Or(response.Header.Get("X-Error-Message"), http.StatusText(response.StatusCode))
	err := fmt.Errorf("status %d: %s", response.StatusCode, message)
	switch {
	case code == "GatedRepo":
		return fmt.Errorf("%w; the model is gated: ask for access on its page, then set HF_TOKEN", err)
	case code == "RevisionNotFound":
		return fmt.Errorf("%w; there is no such revision", err)
	case code == "RepoNotFound", response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w; there is no such model, or it is private: check the name, and set HF_TOKEN", err)
	case retry.PassingStatus(response.StatusCode):
		return retry.Passing(err, retry.After(response.Header, time.Now()))
	}
	return err
}

// passing marks an error of the connection, unless the context ended it.
func passing(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return retry.Passing(err, 0)
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
