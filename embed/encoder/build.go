package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"rcvae"

	"rcvae/internal/tokenizer"
)

// taskNames are the names that a task has for each role: [Options.Task] "retrieval" is
// one for queries and one for passages.
func taskNames(task string) [roles][]string {
	if task == "retrieval" {
		return [roles][]string{rcvae.RoleQuestion: {"retrieval.query", "query"}, rcvae.RoleSolution: {"retrieval.passage", "passage", "document"}}
	}
	return [roles][]string{{task}, {task}}
}

// newConfig returns a configuration with what the architectures do not default
// themselves.
func newConfig() *config { return &config{LayerEpsilon: 1e-12, RMSEpsilon: 1e-6} }

// build makes the networks of a folder for the task.
func (m *Model) build(folder fs.FS, raw []byte, all tensors, l *layout) error {
	f, err := familyOf(raw)
	if err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	var stacked stackedTasks
	if err := json.Unmarshal(raw, &stacked); err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	m.setPrompts(l.prompts[l.prompt])
	made := make(map[string]*network)
	for role, names := range taskNames(m.options.Task) {
		p := plan{model: m, family: f, raw: raw, layout: l, folder: folder, source: all, stacked: stacked, role: rcvae.Role(role)}
		name, err := p.task(names)
		if err != nil {
			return err
		}
		if made[name] == nil {
			if made[name], err = p.network(); err != nil {
				return err
			}
		}
		m.networks[role] = made[name]
	}
	m.overridePrompts()
	return nil
}

func (m *Model) setPrompts(prompt string) {
	for role := range m.prompts {
		m.prompts[role] = prompt
	}
}

func (m *Model) overridePrompts() {
	for role, prompt := range [roles]string{m.options.QuestionPrompt, m.options.SolutionPrompt} {
		if prompt != "" {
			m.prompts[role] = prompt
		}
	}
}

// plan is the making of the network of one role.
type plan struct {
	model   *Model
	family  family
	raw     []byte
	layout  *layout
	folder  fs.FS
	source  source
	stacked stackedTasks
	role    rcvae.Role

	adapters adapters
}

// task finds the adapter or the prompt of the first of the names that there is one for,
// and returns what tells the weights apart: the adapter's name.
func (p *plan) task(names []string) (string, error) {
	if len(p.stacked.Names) > 0 {
		return p.stackedTask(names)
	}
	if p.model.options.Task == "" {
		return "", nil
	}
	for _, name := range names {
		dir := strings.NewReplacer(".", "_", "-", "_").Replace(name)
		if !fs.ValidPath(dir) || strings.Contains(dir, "/") {
			continue
		}
		sub, err := fs.Sub(p.folder, dir)
		if err != nil {
			return "", err
		}
		if _, err := fs.Stat(sub, "adapter_config.json"); err == nil {
			found, err := p.model.openPEFT(sub)
			if err != nil {
				return "", fmt.Errorf("adapter of task %s: %w", name, err)
			}
			p.adapters = newAdapters(found, p.family.adapted, false)
			return name, nil
		}
	}
	for _, name := range names {
		if prompt, ok := p.layout.prompts[name]; ok {
			p.model.prompts[p.role] = prompt
			return "", nil
		}
	}
	return "", fmt.Errorf("the model has no task or prompt %q; its prompts are %q", p.model.options.Task, slices.Sorted(maps.Keys(p.layout.prompts)))
}

// stackedTask picks one of the adapters that are stored beside the weights.
func (p *plan) stackedTask(names []string) (string, error) {
	name := names[0]
	all, ok := p.source.(tensors)
	if !ok {
		return "", errors.New("stacked adapters are for safetensors files")
	}
	plain, found, err := p.stacked.unstack(all, name)
	if err != nil {
		return "", err
	}
	p.source = plain
	if name != "" {
		p.adapters = newAdapters(found, nil, false)
		p.model.prompts[p.role] = p.stacked.Prompt[name]
	}
	return name, nil
}

// network builds the network of a folder.
func (p *plan) network() (*network, error) {
	stored, err := p.family.storedNames(p.source)
	if err != nil {
		return nil, err
	}
	if p.model.options.adapted() {
		if p.adapters.byName != nil {
			return nil, errors.New("an adapter beside that of a task is not supported")
		}
		if p.adapters, err = p.model.openAdapter(p.family, false); err != nil {
			return nil, fmt.Errorf("adapter %s: %w", p.model.options.Adapter, err)
		}
	}
	return p.model.assemble(p.family, p.raw, newConfig(), newWeights(p.source, stored, p.adapters))
}

// assemble reads the configuration and gives the architecture its weights.
func (m *Model) assemble(f family, raw []byte, c *config, w *weights) (*network, error) {
	layers, err := f.build(raw, c)
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	w.bits, w.release = m.options.WeightBits, m.release
	n, err := layers(w)
	if err = errors.Join(err, w.err()); err != nil {
		return nil, err
	}
	m.limit = c.Positions
	if table := n.embeddings.Positions; table != nil {
		m.limit = len(table) / n.embeddings.Hidden
	}
	return n, nil
}

// openTokenizer reads tokenizer.json or vocab.txt.
func (m *Model) openTokenizer(folder fs.FS, l *layout) error {
	data, err := readLimited(folder, "tokenizer.json", maxWords)
	switch {
	case err == nil:
		m.hashing.add("tokenizer.json", data)
		m.words, err = tokenizer.FromJSON(data)
		return err
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	data, err = readSmall(folder, "vocab.txt")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // see Model.check
	case err != nil:
		return err
	}
	m.hashing.add("vocab.txt", data)
	m.words, err = tokenizer.FromVocabulary(data, l.lower == nil || *l.lower)
	if err != nil {
		return fmt.Errorf("vocab.txt: %w", err)
	}
	return nil
}
