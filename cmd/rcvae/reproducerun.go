package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/eval"
	"rcvae/internal/atomicfile"
	"rcvae/llm"
	"rcvae/report"
	"rcvae/reproduce"
)

func writeJSONFile(path string, value any) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(value)
	})
}

// estimate says how long the run takes. One solution of the first question is drawn to
// know how fast the server is, and not kept.
func (p *protocol) estimate(cmd *cobra.Command, plan reproduce.Plan, upstream *llm.Upstream) error {
	var one time.Duration
	concurrency := 1
	if upstream != nil && !p.drawn() {
		last := p.Arms[len(p.Arms)-1].Settings
		sampler, err := llm.NewSampler(upstream, last)
		if err != nil {
			return usageError{err}
		}
		start := time.Now()
		if _, err := sampler.Sample(cmd.Context(), p.problems[p.Suites[0]][0].Question, 1); err != nil {
			return fmt.Errorf("ask the server for one solution: %w", err)
		}
		one, concurrency = time.Since(start), sampler.Concurrency()
	}
	note(cmd, "%s", plan.Estimate(one, concurrency))
	return nil
}

// samples draws every arm of every suite, going on where an earlier run was stopped, or
// sorts the pools that are given.
func (p *protocol) samples(cmd *cobra.Command, upstream *llm.Upstream) (all []reproduce.Sampled, err error) {
	k := p.Arms[len(p.Arms)-1].Samples
	for _, suite := range p.Suites {
		s := reproduce.Sampled{Suite: suite, Arms: map[string][]rcvae.Question{}}
		if p.pools != nil {
			if s, err = reproduce.FromPool(suite, p.pools[suite], k); err != nil {
				return nil, err
			}
		} else {
			for _, arm := range p.Arms {
				if s.Arms[arm.Name], err = p.draw(cmd, upstream, suite, arm); err != nil {
					return nil, fmt.Errorf("%s, %s: %w", suite, arm.Name, err)
				}
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// samplesPath is the pool of one arm of one suite.
func (p *protocol) samplesPath(suite string, arm reproduce.Arm) string {
	return filepath.Join(p.out, "samples", suite+"-"+arm.Name+".jsonl.gz")
}

// drawn reports whether earlier runs have finished all samples.
func (p *protocol) drawn() bool {
	for _, suite := range p.Suites {
		for _, arm := range p.Arms {
			if _, err := os.Stat(p.samplesPath(suite, arm)); err != nil {
				return false
			}
		}
	}
	return true
}

// draw draws one arm of one suite into its pool.
func (p *protocol) draw(cmd *cobra.Command, upstream *llm.Upstream, suite string, arm reproduce.Arm) ([]rcvae.Question, error) {
	sampler, err := llm.NewSampler(upstream, arm.Settings)
	if err != nil {
		return nil, usageError{err}
	}
	run := &drawingRun{
		plan:    plan{K: arm.Samples, Grader: reproduce.Match{Name: reproduce.Honest, Suite: suite}.Kind(), Settings: arm.Settings},
		sampled: sampler, bar: newProgress(cmd, suite+" "+arm.Name, "questions"), total: len(p.problems[suite]), start: time.Now(),
	}
	keepGoing, _ := cmd.Flags().GetBool("keep-going")
	if _, err := run.pool(cmd, p.problems[suite], p.samplesPath(suite, arm), true, keepGoing); err != nil {
		return nil, err
	}
	var questions []rcvae.Question
	for _, problem := range p.problems[suite] {
		if q, ok := run.store.items[problem.ID]; ok { // else it failed, and --keep-going leaves it out
			questions = append(questions, q)
		}
	}
	return questions, nil
}

// measure trains the models, measures the rules, and writes and prints the table.
func (p *protocol) measure(cmd *cobra.Command, embedder *openedEmbedder, sampled []reproduce.Sampled) error {
	groups, warnings, err := p.models(cmd, embedder)
	if err != nil {
		return err
	}
	detailsPath := filepath.Join(p.out, "details.jsonl.gz")
	details, err := createDetailsFile(detailsPath)
	if err != nil {
		return err
	}
	defer details.abort()
	embedding := embedder.progress(cmd, nil)
	result, err := reproduce.Measure(cmd.Context(), reproduce.Config{
		Seed: p.Seed, Resamples: eval.DefaultConfig().Resamples, CutGold: p.CutGold, Embedder: embedder.embedder(),
		OnDetails: details.hook(), OnPool: func(name string) { embedding(); note(cmd, "measuring %s", name) },
	}, sampled, groups)
	if err != nil {
		return err
	}
	if err := details.close(); err != nil {
		return err
	}
	result.Run.Commit, result.Run.Command = p.Commit, p.Command
	for _, g := range groups {
		var models []rcvae.Model
		for _, m := range g.Models {
			models = append(models, m)
		}
		result.Models = append(result.Models, trainings(models, g.Names)...)
	}
	table := reproduce.NewTable(reproduce.Setting{LLM: p.LLM, Embedder: p.Embedder, Suites: p.Suites, CutGold: p.CutGold, Chat: p.Chat, Gold: len(p.gold)}, result, warnings)
	return p.write(cmd, result, table, detailsPath)
}

// models trains the groups of models under one progress report.
func (p *protocol) models(cmd *cobra.Command, embedder *openedEmbedder) ([]reproduce.Group, []string, error) {
	epochs, _ := cmd.Flags().GetInt("epochs")
	var embedding func()
	var bar *progress
	done := 0
	record, err := embedder.recordJSON()
	if err != nil {
		return nil, nil, err
	}
	training := reproduce.Training{
		Gold: p.gold, Pool: p.trainPool, Seeds: p.Seeds, Epochs: epochs, Embedder: embedder.embedder(), Record: record, Folder: filepath.Join(p.out, "models"),
		OnModel: func(name string) {
			if bar != nil {
				bar.done(done)
			}
			embedding, bar = embedder.progress(cmd, nil), newProgress(cmd, "training "+name, "steps")
		},
		OnStep: func(s cvae.StepLog) {
			embedding()
			done = (s.Epoch-1)*s.Steps + s.Step
			bar.update(done, s.Epochs*s.Steps)
		},
	}
	groups, warnings, err := training.Groups(cmd.Context())
	if errors.Is(err, context.Canceled) {
		return nil, nil, errors.New("reproduce: interrupted; samples, embeddings and the training's state are kept: run the same command to continue")
	}
	if bar != nil {
		bar.done(done)
	}
	return groups, warnings, err
}

// write writes the result, the table and the page, and prints the table.
func (p *protocol) write(cmd *cobra.Command, result *eval.Result, table reproduce.Table, detailsPath string) error {
	resultPath := filepath.Join(p.out, "result.json")
	if err := atomicfile.Write(resultPath, func(w io.Writer) error { return eval.WriteJSON(w, result) }); err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(p.out, "table.md"), table.WriteMarkdown); err != nil {
		return err
	}
	if err := p.page(resultPath, detailsPath); err != nil {
		return err
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, table)
	}
	return table.WriteMarkdown(cmd.OutOrStdout())
}

// page draws the main pools, those that have details, as report.html.
func (p *protocol) page(resultPath, detailsPath string) error {
	sources, done, err := openResults([]string{resultPath}, []string{detailsPath})
	defer done()
	if err != nil {
		return err
	}
	var main []string
	for _, suite := range p.Suites {
		main = append(main, reproduce.MainPool(suite))
	}
	r := sources[0].Result
	r.Pools = slices.DeleteFunc(r.Pools, func(pool eval.Pool) bool { return !slices.Contains(main, pool.Pool) })
	return atomicfile.Write(filepath.Join(p.out, "report.html"), func(w io.Writer) error {
		return report.Write(w, sources, report.Options{Command: p.Command, Commit: p.Commit})
	})
}
