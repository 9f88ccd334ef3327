package cvae

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
)

// Prefixes of a checkpoint's tensors; the weights themselves have none.
const (
	prefixM    = "optimizer.m."
	prefixV    = "optimizer.v."
	prefixBest = "best."
)

// save writes the state of the run to the checkpoint, if there is to be one.
func (t *trainer) save() error {
	path := t.options.Checkpoint
	if path == "" {
		return nil
	}
	s := t.state
	s.Updates, s.Seconds = t.optimizer.Steps, t.seconds()
	tensors := paramTensors(t.pass.net, "", t.pass.params)
	tensors = append(tensors, t.pass.tensors()...)
	tensors = append(tensors, paramTensors(t.pass.net, prefixM, t.optimizer.M)...)
	tensors = append(tensors, paramTensors(t.pass.net, prefixV, t.optimizer.V)...)
	if t.best != nil {
		tensors = append(tensors, paramTensors(t.pass.net, prefixBest, t.best)...)
	}
	data, err := encodeFile(header{Kind: kindTrainer, Config: t.config, Objective: t.objective, Fingerprint: t.options.Fingerprint, State: &s}, tensors)
	if err == nil {
		err = writeFile(path, data)
	}
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	if t.options.OnCheckpoint != nil {
		t.options.OnCheckpoint(path)
	}
	return nil
}

// interrupted saves the state and returns cause with where the training stands.
func (t *trainer) interrupted(cause error) error {
	at := fmt.Sprintf("training stopped before epoch %d, step %d", t.state.Epoch+1, t.state.Step+1)
	if t.options.Checkpoint == "" {
		return fmt.Errorf("%s: %w", at, cause)
	}
	if err := t.save(); err != nil {
		return fmt.Errorf("%s: %w", at, errors.Join(cause, err))
	}
	return fmt.Errorf("%s; continue from %s with resume: %w", at, t.options.Checkpoint, cause)
}

// resume takes up the state that the checkpoint holds. Without a checkpoint the run
// starts from the beginning.
func (t *trainer) resume() error {
	path := t.options.Checkpoint
	if path == "" {
		return errors.New("resume training: no checkpoint path is given")
	}
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = t.restore(data)
	}
	if err != nil {
		return fmt.Errorf("resume training from %s: %w", path, err)
	}
	if t.options.OnResume != nil {
		t.options.OnResume(slices.Clone(t.state.Curve))
	}
	return nil
}

func (t *trainer) restore(data []byte) error {
	h, file, err := decodeFile(data)
	if err != nil {
		return err
	}
	switch {
	case h.Kind != kindTrainer || h.State == nil:
		return fmt.Errorf("this is a finished %s, not a training checkpoint", h.Kind)
	case !h.Fingerprint.Same(t.options.Fingerprint):
		return fmt.Errorf("it was begun with embedder %v, not %v: remove it to start anew", h.Fingerprint, t.options.Fingerprint)
	case h.State.Data != t.state.Data:
		return errors.New("it was begun with other training data: give the same files, or remove it to start anew")
	}
	if difference := compareConfigs(h.Config, t.config); difference != "" {
		return fmt.Errorf("it was begun with other settings (%s): give the same, or remove it to start anew", difference)
	}
	params, _, err := readTensors(file, h.Config, h.Objective)
	if err != nil {
		return err
	}
	copy(t.pass.params, params)
	for prefix, dst := range map[string]*[]float32{prefixM: &t.optimizer.M, prefixV: &t.optimizer.V, prefixBest: &t.best} {
		if prefix == prefixBest && h.State.BestEpoch == 0 {
			continue
		}
		if *dst, err = readParams(file, t.pass.net, prefix); err != nil {
			return err
		}
	}
	t.state, t.optimizer.Steps = *h.State, h.State.Updates
	return t.checkState()
}

// checkState refuses positions outside the run.
func (t *trainer) checkState() error {
	s := t.state
	if s.Epoch < 0 || s.Epoch > t.config.Epochs || s.Step < 0 || s.Step > t.steps || s.Updates < 0 || len(s.Curve) != s.Epoch {
		return fmt.Errorf("state of epoch %d, step %d does not fit the run", s.Epoch, s.Step)
	}
	return nil
}

// compareConfigs returns the first setting that differs, as "Name a, now b".
func compareConfigs(old, now Config) string {
	old.Precision, now.Precision = cmp.Or(old.Precision, Float32), cmp.Or(now.Precision, Float32)
	a, b := reflect.ValueOf(old), reflect.ValueOf(now)
	for i := range a.NumField() {
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); fmt.Sprint(x) != fmt.Sprint(y) {
			return fmt.Sprintf("%s %v, now %v", a.Type().Field(i).Name, x, y)
		}
	}
	return ""
}
