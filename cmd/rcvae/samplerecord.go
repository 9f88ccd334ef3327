package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rcvae/internal/atomicfile"
	"rcvae/llm"
)

// runRecord is the file beside a pool that says how it was drawn.
type runRecord struct {
	Format  int            `json:"format"` // 1
	Plan    plan           `json:"plan"`
	Server  serverRecord   `json:"server"`
	Runs    []runEntry     `json:"runs"`    // this one last
	Summary *sampleSummary `json:"summary"` // null until the pool is finished
}

// runEntry is one run that drew a part of a pool.
type runEntry struct {
	Commit   string          `json:"commit"`
	Command  string          `json:"command"`
	Started  string          `json:"started"`
	Server   string          `json:"server"`
	Seconds  float64         `json:"seconds"`
	Tokens   int             `json:"tokens"`             // drawn by this run
	Failed   int             `json:"failed"`             // problems
	Failures []failedProblem `json:"failures,omitempty"` // the problems that failed, in their order
	Warnings []string        `json:"warnings,omitempty"`
	Killed   bool            `json:"killed,omitempty"` // it did not write this entry to its end: the time is not known
}

// failedProblem is a problem of which no candidate came back.
type failedProblem struct {
	ID    string `json:"id"`
	Error string `json:"error"`
}

// serverRecord says how the server behaved, as far as it was seen.
type serverRecord struct {
	URL  string `json:"url"`
	Mode string `json:"mode,omitempty"` // "n" or "fan-out"
	*llm.Profile
}

const recordFormat = 1

// newRunRecord returns the record of this run behind those of the earlier ones. What they
// saw of the server is known until this one sees more.
func newRunRecord(cmd *cobra.Command, r *drawingRun) *runRecord {
	record := &runRecord{Format: recordFormat, Plan: r.plan}
	if before := r.store.before; before != nil {
		record.Server, record.Runs = before.Server, before.Runs
		if was, now := before.Server.URL, r.server(); was != now {
			r.warn(fmt.Sprintf("the pool was drawn from %s so far, the rest comes from %s; make sure that it serves the same model", was, now))
		}
	}
	record.Server.URL = r.server()
	entry := runEntry{Commit: commit, Command: commandLine(cmd), Started: r.start.UTC().Format(time.RFC3339), Server: r.server()}
	record.Runs = append(record.Runs, entry)
	return record
}

// server names where candidates are drawn.
func (r *drawingRun) server() string {
	if r.sampled == nil {
		return "workers"
	}
	return r.sampled.URL()
}

// close gives a last run that was killed the tokens of the finished problems which no run
// has counted.
func (r *runRecord) close(tokens int) {
	if len(r.Runs) == 0 {
		return
	}
	for _, run := range r.Runs {
		tokens -= run.Tokens
	}
	last := &r.Runs[len(r.Runs)-1]
	if last.Seconds == 0 && r.Summary == nil {
		last.Killed, last.Tokens = true, last.Tokens+max(tokens, 0)
	}
}

// finish adds what was learned while drawing.
func (r *runRecord) finish(run *drawingRun) {
	if run.sampled != nil {
		if p, known := run.sampled.Profile(); known {
			r.Server.learn(p)
		}
	}
	entry := &r.Runs[len(r.Runs)-1]
	entry.Seconds, entry.Tokens, entry.Failed, entry.Warnings = time.Since(run.start).Seconds(), run.tokens, len(run.failures), run.warnings
	entry.Failures = run.failures
}

// learn takes what this run saw. Fields that were not sent in an earlier run stay known:
// they are part of how the pool was drawn.
func (s *serverRecord) learn(p llm.Profile) {
	if s.Profile != nil {
		p.Refused, p.Instead = union(s.Refused, p.Refused), union(s.Instead, p.Instead)
	}
	s.Mode, s.Profile = p.Mode(), &p
}

func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// writeRecord writes the record, unless nothing was drawn in the place of an earlier pool.
func (s *sampleStore) writeRecord(r *runRecord) error {
	if s.file == nil && len(s.left()) > 0 {
		return nil
	}
	return atomicfile.Write(s.recordPath, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	})
}

// checkPlan compares the plan of earlier runs with this one's and returns their record.
func checkPlan(path string, now plan) (*runRecord, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("resume: there is no %s that says how the pool was drawn; name another --out, or start anew with --resume=false, which removes the pool", path)
	}
	if err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	var old struct {
		Format int
		Plan   json.RawMessage
	}
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, fmt.Errorf("resume: %s is damaged (%w); the pool is not: name another --out for the rest, or start anew with --resume=false, which removes the pool", path, err)
	}
	if old.Format != recordFormat {
		return nil, fmt.Errorf("resume: %s has format %d, this program reads %d; go on with the version that wrote it, or name another --out", path, old.Format, recordFormat)
	}
	if d := differences(old.Plan, now); len(d) > 0 {
		return nil, fmt.Errorf("resume: %s was drawn with other settings (%s); use the same, name another --out, or start anew with --resume=false",
			strings.TrimSuffix(path, ".run.json"), strings.Join(d, "; "))
	}
	record := &runRecord{}
	if err := json.Unmarshal(data, record); err != nil {
		return nil, fmt.Errorf("resume: %s is damaged (%w); the pool is not: name another --out for the rest", path, err)
	}
	return record, nil
}

// differences says which settings are not as they were.
func differences(before json.RawMessage, now plan) []string {
	current, _ := json.Marshal(now) // numbers and strings always encode
	old, new := flatten(before), flatten(current)
	keys := maps.Clone(old)
	maps.Copy(keys, new)
	var all []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if old[key] != new[key] {
			all = append(all, fmt.Sprintf("%s was %s, is %s", key, orNone(old[key]), orNone(new[key])))
		}
	}
	return all
}

// flatten returns the JSON of every setting by its name; settings of the sampler
// stand beside the others.
func flatten(raw json.RawMessage) map[string]string {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(raw, &fields) // another type has no fields: everything differs
	flat := map[string]string{}
	for key, value := range fields {
		if key == "settings" {
			maps.Copy(flat, flatten(value))
			continue
		}
		var compact bytes.Buffer
		_ = json.Compact(&compact, value) // it was just decoded
		flat[key] = compact.String()
	}
	return flat
}

func orNone(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}

func printSummary(cmd *cobra.Command, out string, s sampleSummary) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, s)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", out, s)
	return err
}
