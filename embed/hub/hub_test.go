package hub_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/embed/hub"
	"rcvae/rcvaetest"
)

var weights = bytes.Repeat([]byte("0123456789abcdef"), 8192)

// script is a model as they are published: with files that no encoder reads.
func script() rcvaetest.HubScript {
	files := rcvaetest.FolderFiles(map[string]string{
		"README.md": "---\nlicense: apache-2.0\n---\n# A model\n", "config.json": `{"model_type":"bert"}`, "tokenizer.json": "{}",
		"modules.json": "[]", "1_Pooling/config.json": `{"pooling_mode_cls_token":true}`, "sentence_bert_config.json": "{}",
		"modeling.py": "import os", "onnx/model.onnx": "onnx", "onnx/config.json": "{}",
	})
	files["model.safetensors"], files["pytorch_model.bin"] = weights, weights
	return rcvaetest.HubScript{Name: "org/model", License: "apache-2.0", Files: files, Large: []string{"model.safetensors", "pytorch_model.bin"}}
}

func cacheOf(t *testing.T, h *rcvaetest.Hub) hub.Cache {
	t.Helper()
	return hub.Cache{Dir: filepath.Join(t.TempDir(), "hub"), Endpoint: h.URL, Token: "secret"}
}

func get(t *testing.T, c hub.Cache, name string) hub.Snapshot {
	t.Helper()
	s, err := c.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkFile(t *testing.T, folder, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, %v, want %d", name, len(got), err, len(want))
	}
}

// The layout is that which Python's client writes: blobs under their hashes, relative
// links to them from snapshots, the commit in refs.
func TestGetWritesTheLayoutOfPython(t *testing.T) {
	s := script()
	h := rcvaetest.StartHub(t, s)
	c := cacheOf(t, h)
	if _, err := c.Find("org/model"); !errors.Is(err, hub.ErrNotCached) {
		t.Errorf("Find before Get: %v, want ErrNotCached", err)
	}
	snapshot := get(t, c, "org/model")
	root := filepath.Join(c.Dir, "models--org--model")
	if want := filepath.Join(root, "snapshots", rcvaetest.HubCommit); snapshot.Folder != want {
		t.Errorf("folder %s, want %s", snapshot.Folder, want)
	}
	for _, name := range []string{"README.md", "config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json", "model.safetensors"} {
		checkFile(t, snapshot.Folder, name, s.Files[name])
	}
	for _, name := range []string{"modeling.py", "pytorch_model.bin", "onnx"} {
		if _, err := os.Lstat(filepath.Join(snapshot.Folder, name)); err == nil {
			t.Errorf("%s was brought along", name)
		}
	}
	ref, err := os.ReadFile(filepath.Join(root, "refs", "main"))
	if err != nil || string(ref) != rcvaetest.HubCommit {
		t.Errorf("refs/main is %q, %v", ref, err)
	}
	link, err := os.Readlink(filepath.Join(snapshot.Folder, "1_Pooling", "config.json"))
	if err != nil || !strings.HasPrefix(filepath.ToSlash(link), "../../../blobs/") {
		t.Errorf("1_Pooling/config.json is a link to %q, %v, want a relative one to a blob", link, err)
	}
	for name, hash := range map[string]string{ // by sha256sum and git hash-object
		"model.safetensors": "a2706a20394e48179a86c71e82c360c2960d3652340f9b9fdb355a42e3ac7691",
		"config.json":       "3967ff7fee9d40eb77abadd6a292230496ca9f24",
	} {
		if _, err := os.Stat(filepath.Join(root, "blobs", hash)); err != nil {
			t.Errorf("%s is not kept under its hash: %v", name, err)
		}
	}
	found, err := c.Find("org/model")
	if err != nil || found != snapshot.Folder {
		t.Errorf("Find() = %s, %v, want %s", found, err, snapshot.Folder)
	}
	if names := c.List(); len(names) != 1 || names[0] != "org/model" {
		t.Errorf("List() = %q", names)
	}
	if got := hub.License(found); got != "apache-2.0" {
		t.Errorf("License() = %q", got)
	}
}

func TestGetAgainAsksForNoFile(t *testing.T) {
	h := rcvaetest.StartHub(t, script())
	c := cacheOf(t, h)
	get(t, c, "org/model")
	before := len(h.Requests())
	get(t, c, "org/model@"+rcvaetest.HubCommit)
	for _, r := range h.Requests()[before:] {
		if strings.Contains(r.Path, "/resolve/") || r.Store {
			t.Errorf("%s is asked for again", r.Path)
		}
	}
}

func TestTheTokenStaysAtTheHub(t *testing.T) {
	s := script()
	s.Token = "secret"
	h := rcvaetest.StartHub(t, s)
	get(t, cacheOf(t, h), "org/model")
	stores := 0
	for _, r := range h.Requests() {
		if r.Store {
			stores++
		}
		if r.Store == (r.Authorization != "") {
			t.Errorf("%s (another host: %v) was sent %q", r.Path, r.Store, r.Authorization)
		}
	}
	if stores == 0 {
		t.Error("no request went to the other host: the test shows nothing")
	}
}

// A download that breaks goes on where it was, in the same call or in the next.
func TestBrokenDownloadsContinue(t *testing.T) {
	for name, change := range map[string]func(*rcvaetest.HubScript){
		"by parts":       func(s *rcvaetest.HubScript) { s.Drop = 1 },
		"without ranges": func(s *rcvaetest.HubScript) { s.Drop, s.Whole = 1, true },
		"busy":           func(s *rcvaetest.HubScript) { s.Busy = 2 },
		"in two pages":   func(s *rcvaetest.HubScript) { s.Linked = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := script()
			change(&s)
			h := rcvaetest.StartHub(t, s)
			snapshot := get(t, cacheOf(t, h), "org/model")
			checkFile(t, snapshot.Folder, "model.safetensors", weights)
			checkFile(t, snapshot.Folder, "1_Pooling/config.json", s.Files["1_Pooling/config.json"])
			ranges := 0
			for _, r := range h.Requests() {
				if r.Range != "" && r.Store {
					ranges++
				}
			}
			if want := min(1, s.Drop); ranges != want {
				t.Errorf("%d requests for a part, want %d", ranges, want)
			}
		})
	}
}

func TestAnInterruptedGetContinues(t *testing.T) {
	s := script()
	s.Drop = 100
	h := rcvaetest.StartHub(t, s)
	c := cacheOf(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Progress = func(done, _ int64) {
		if done > int64(len(weights))/2 {
			cancel()
		}
	}
	if _, err := c.Get(ctx, "org/model"); err == nil {
		t.Fatal("a cancelled Get is no error")
	}
	if _, err := c.Find("org/model"); !errors.Is(err, hub.ErrNotCached) {
		t.Errorf("half a model is found: %v", err)
	}
	healthy := rcvaetest.StartHub(t, script())
	c.Endpoint, c.Progress = healthy.URL, nil
	checkFile(t, get(t, c, "org/model").Folder, "model.safetensors", weights)
	part := false
	for _, r := range healthy.Requests() {
		part = part || r.Store && r.Range != ""
	}
	if !part {
		t.Error("the second Get began again")
	}
}

func TestDamageIsFound(t *testing.T) {
	for _, name := range []string{"model.safetensors", "config.json"} {
		s := script()
		s.Flip = name
		c := cacheOf(t, rcvaetest.StartHub(t, s))
		_, err := c.Get(t.Context(), "org/model")
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "hash") {
			t.Errorf("a flipped byte of %s: %v, want an error about its hash", name, err)
		}
		blobs, _ := filepath.Glob(filepath.Join(c.Dir, "models--org--model", "blobs", "*.incomplete"))
		if len(blobs) > 0 {
			t.Errorf("what was damaged is left behind: %q", blobs)
		}
	}
	c := cacheOf(t, rcvaetest.StartHub(t, script()))
	folder := get(t, c, "org/model").Folder
	if err := hub.Verify(folder); err != nil {
		t.Errorf("Verify() = %v", err)
	}
	for _, name := range []string{"model.safetensors", "config.json"} {
		path := filepath.Join(folder, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[0] ^= 1
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := hub.Verify(folder); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Verify() with a flipped byte = %v, want an error that names %s", err, name)
		}
		data[0] ^= 1
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
