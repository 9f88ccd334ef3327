//go:build !noqueue

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/queue"
)

// embedCrew spreads the texts of an embedder over workers.
type embedCrew struct {
	*crew
	spread *queue.Embedder
	temp   string // a folder that goes at the end; empty: none
}

func (c *embedCrew) embedder() rcvae.Embedder     { return c.spread }
func (c *embedCrew) onProgress(show func(string)) { c.show = show }

// Close ends the crew.
func (c *embedCrew) Close() {
	if c.crew != nil {
		c.crew.Close()
	}
	if c.temp != "" {
		_ = os.RemoveAll(c.temp) // the system removes it some day
	}
}

// openEmbedWorkers returns the workers behind the embedder of a command that keeps its
// embeddings in the file cache (empty: in memory), nil when none are asked for.
func openEmbedWorkers(cmd *cobra.Command, name string, settings embedderSettings, local rcvae.Embedder, cache string) (workers, error) {
	if !workersAsked(cmd) {
		return nil, nil //nolint:nilnil // there are none, and that is no error
	}
	c, target, run := &embedCrew{}, queue.EmbedTarget(local.Fingerprint()), ""
	store := cache + ".queue-" + target
	if cache == "" {
		var err error
		if c.temp, err = os.MkdirTemp("", "rcvae-queue"); err != nil {
			return nil, fmt.Errorf("make the queue's folder: %w", err)
		}
		store = filepath.Join(c.temp, "store")
	}
	run = queue.Run(string(queue.Embedding), target, place(store))
	payload, files, err := planOf(name, settings)
	if err == nil {
		c.crew, err = openCrew(cmd, store, false, "texts", queue.EmbedSpec(local, run, commit, payload, files))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	c.spread = queue.NewEmbedder(local, c.coordinator)
	if idle, _ := cmd.Flags().GetBool("no-local"); !idle {
		if err := c.work(&queue.EmbedSkill{Own: local}, 1); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// embedPlan tells workers how they open the embedder.
type embedPlan struct {
	Name     string           `json:"name"`
	Settings embedderSettings `json:"settings"`
	Files    bool             `json:"files,omitempty"`   // of the model, which the queue has
	Model    string           `json:"model,omitempty"`   // its path among the files
	Adapter  string           `json:"adapter,omitempty"` // likewise; empty: none
	Server   bool             `json:"server,omitempty"`  // workers name it themselves: they have its key
}

// planOf returns the plan for workers of the embedder, and its files if they need them.
func planOf(name string, settings embedderSettings) (json.RawMessage, func() ([]queue.File, error), error) {
	kind, err := kindOf(name)
	if err != nil {
		return nil, nil, err
	}
	p := embedPlan{Name: name, Settings: settings, Server: kind.remote}
	var list func() ([]queue.File, error)
	if !isBuiltin(name) && !kind.remote {
		path := name
		if isHubName(name) && !isFolder(name) {
			if path, err = findInHub(name); err != nil {
				return nil, nil, err
			}
		}
		p.Files, p.Model = true, "model"
		if !isFolder(path) {
			p.Model = "model/" + filepath.Base(path)
		}
		if settings.Adapter != "" {
			p.Adapter = "adapter"
			if !isFolder(settings.Adapter) {
				p.Adapter = "adapter/" + filepath.Base(settings.Adapter)
			}
		}
		list = func() ([]queue.File, error) { return modelFiles(path, settings.Adapter) }
	}
	data, err := json.Marshal(p)
	return data, list, err
}

// modelFiles lists the files of a model and its adapter (empty: none).
func modelFiles(model, adapter string) ([]queue.File, error) {
	files, err := filesBelow("model", model)
	if err != nil || adapter == "" {
		return files, err
	}
	more, err := filesBelow("adapter", adapter)
	return append(files, more...), err
}

// filesBelow lists a file, or the files of a folder that encoders read: not those of other
// frameworks.
func filesBelow(prefix, root string) (files []queue.File, err error) {
	if !isFolder(root) {
		return []queue.File{{Path: prefix + "/" + filepath.Base(root), Source: root}}, nil
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || isFolder(path) {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".json", ".txt", ".safetensors", ".model", ".gguf", ".jinja":
			files = append(files, queue.File{Path: prefix + "/" + filepath.ToSlash(relative), Source: path})
		}
		return nil
	})
	return files, err
}

// errNeedsServer says that a worker must name the server itself.
var errNeedsServer = errors.New("the coordinator's embedder is a server, and its key is not told: name it with --embedder, its key in the environment")

// openPlanned opens the embedder of a coordinator's plan.
func openPlanned(ctx context.Context, payload json.RawMessage, bring queue.Bring) (rcvae.Embedder, error) {
	var p embedPlan
	if err := json.Unmarshal(payload, &p); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	if p.Server {
		return nil, errNeedsServer
	}
	if !p.Files {
		if !isBuiltin(p.Name) {
			return nil, fmt.Errorf("%q is no built-in embedder", p.Name)
		}
		return newEmbedder(ctx, p.Name, embedderSettings{})
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the user's cache folder: %w", err)
	}
	dir = filepath.Join(dir, "rcvae", "worker", queue.Run(string(payload)))
	for _, path := range []string{p.Model, p.Adapter} {
		if path != "" && (!filepath.IsLocal(path) || strings.Contains(path, "\\")) {
			return nil, fmt.Errorf("the plan's path %q leads out of its folder", path)
		}
	}
	if err := bring(ctx, dir); err != nil {
		return nil, err
	}
	if p.Settings.Adapter = ""; p.Adapter != "" {
		p.Settings.Adapter = filepath.Join(dir, p.Adapter)
	}
	return newEmbedder(ctx, filepath.Join(dir, p.Model), p.Settings)
}
