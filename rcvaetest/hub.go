package rcvaetest

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // Git's hash
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// HubScript is a model on a scripted Hugging Face hub, and what goes wrong with it.
type HubScript struct {
	Name    string            // ORG/NAME
	License string            // "": the model names none
	Files   map[string][]byte // by path
	Large   []string          // paths that are kept on another host, under their SHA-256

	Gated  bool   // without access, whatever the token
	Token  string // that must be sent; "": none
	Drop   int    // answers of large files that break after half of what was asked for
	Whole  bool   // a part of a file is asked for and all of it comes
	Flip   string // path of a file whose last byte is another
	Busy   int    // requests that are answered with 503 before any other
	Linked bool   // the list of files comes in two pages
}

// HubCommit is the only commit of a scripted hub.
const HubCommit = "0123456789abcdef0123456789abcdef01234567"

// Hub is a running scripted hub.
type Hub struct {
	URL string

	script HubScript
	store  *httptest.Server // the other host

	mu       sync.Mutex
	requests []HubRequest
}

// HubRequest is one request that a hub or its other host was sent.
type HubRequest struct {
	Store         bool // to the other host
	Path          string
	Authorization string
	Range         string
}

// StartHub serves a script until the test ends.
func StartHub(t testing.TB, s HubScript) *Hub {
	t.Helper()
	h := &Hub{script: s}
	h.store = httptest.NewServer(http.HandlerFunc(h.serveStore))
	front := httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.store.Close)
	t.Cleanup(front.Close)
	h.URL = front.URL
	return h
}

// Requests returns what was asked for so far.
func (h *Hub) Requests() []HubRequest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.requests)
}

// note keeps a request and reports whether the server is busy.
func (h *Hub) note(r *http.Request, store bool) (busy bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = append(h.requests, HubRequest{store, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Range")})
	if h.script.Busy == 0 {
		return false
	}
	h.script.Busy--
	return true
}

func (h *Hub) serve(w http.ResponseWriter, r *http.Request) {
	busy := h.note(r, false)
	api, files := "/api/models/"+h.script.Name, "/"+h.script.Name+"/resolve/"
	switch {
	case busy:
		w.Header().Set("Retry-After", "0.001")
		w.WriteHeader(http.StatusServiceUnavailable)
	case h.script.Gated:
		hubError(w, http.StatusForbidden, "GatedRepo")
	case h.script.Token != "" && r.Header.Get("Authorization") != "Bearer "+h.script.Token:
		hubError(w, http.StatusUnauthorized, "")
	case r.URL.Path == api+"/revision/main", r.URL.Path == api+"/revision/"+HubCommit:
		h.serveModel(w)
	case strings.HasPrefix(r.URL.Path, api+"/revision/"):
		hubError(w, http.StatusNotFound, "RevisionNotFound")
	case r.URL.Path == api+"/tree/"+HubCommit:
		h.serveTree(w, r)
	case strings.HasPrefix(r.URL.Path, files):
		_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, files), "/")
		h.serveFile(w, r, path)
	default:
		hubError(w, http.StatusNotFound, "RepoNotFound")
	}
}

func hubError(w http.ResponseWriter, status int, code string) {
	if code != "" {
		w.Header().Set("X-Error-Code", code)
	}
	w.WriteHeader(status)
}

func (h *Hub) serveModel(w http.ResponseWriter) {
	about := map[string]any{"id": h.script.Name, "sha": HubCommit, "tags": []string{"sentence-similarity"}}
	if h.script.License != "" {
		about["cardData"] = map[string]any{"license": h.script.License}
	}
	writeJSON(w, about)
}

// serveTree lists the files, in two pages if the script says so.
func (h *Hub) serveTree(w http.ResponseWriter, r *http.Request) {
	var list []map[string]any
	for path, data := range h.script.Files {
		entry := map[string]any{"type": "file", "path": path, "size": len(data), "oid": gitHash(data)}
		if slices.Contains(h.script.Large, path) {
			entry["lfs"] = map[string]any{"oid": fullHash(data), "size": len(data), "pointerSize": 134}
		}
		list = append(list, entry)
	}
	list = append(list, map[string]any{"type": "directory", "path": "1_Pooling", "size": 0, "oid": strings.Repeat("0", 40)})
	slices.SortFunc(list, func(a, b map[string]any) int { return strings.Compare(a["path"].(string), b["path"].(string)) })
	if h.script.Linked {
		half := len(list) / 2
		if r.URL.Query().Get("cursor") == "" {
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?recursive=true&cursor=2>; rel="next"`, h.URL, r.URL.Path))
			list = list[:half]
		} else {
			list = list[half:]
		}
	}
	writeJSON(w, list)
}

// gitHash returns the SHA-1 of a Git blob, under which a hub keeps small files.
func gitHash(data []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...)) //nolint:gosec // Git's hash
	return hex.EncodeToString(sum[:])
}

// fullHash returns the SHA-256, under which a hub keeps large files.
func fullHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (h *Hub) serveFile(w http.ResponseWriter, r *http.Request, path string) {
	data, ok := h.script.Files[path]
	if !ok {
		hubError(w, http.StatusNotFound, "EntryNotFound")
		return
	}
	w.Header().Set("X-Repo-Commit", HubCommit)
	if slices.Contains(h.script.Large, path) {
		w.Header().Set("X-Linked-Etag", `"`+fullHash(data)+`"`)
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
		http.Redirect(w, r, h.store.URL+"/"+path, http.StatusFound)
		return
	}
	w.Header().Set("ETag", `"`+gitHash(data)+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.data(path)))
}

func (h *Hub) data(path string) []byte {
	data := slices.Clone(h.script.Files[path])
	if path == h.script.Flip {
		data[len(data)-1] ^= 1
	}
	return data
}

func (h *Hub) serveStore(w http.ResponseWriter, r *http.Request) {
	h.note(r, true)
	if h.script.Whole {
		r.Header.Del("Range")
	}
	data := h.data(strings.TrimPrefix(r.URL.Path, "/"))
	h.mu.Lock()
	drop := h.script.Drop > 0
	if drop {
		h.script.Drop--
	}
	h.mu.Unlock()
	if !drop {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		return
	}
	from := 0
	if text, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		from, _ = strconv.Atoi(strings.TrimSuffix(text, "-"))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(data[from : from+(len(data)-from)/2])
	panic(http.ErrAbortHandler)
}

// FolderFiles returns the files of a map of texts as those of a [HubScript].
func FolderFiles(texts map[string]string) map[string][]byte {
	files := make(map[string][]byte, len(texts))
	for name, text := range texts {
		files[name] = []byte(text)
	}
	return files
}
