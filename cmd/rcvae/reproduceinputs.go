package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/dataset"
	"rcvae/internal/scratch"
	"rcvae/reproduce"
)

// testQuestions reads --test or --from-pool, and chooses the subset.
func (p *protocol) testQuestions(cmd *cobra.Command) error {
	f := cmd.Flags()
	pools, err := suiteFiles(cmd, "from-pool")
	if err != nil {
		return err
	}
	tests, err := suiteFiles(cmd, "test")
	if err != nil {
		return err
	}
	if len(pools) > 0 && len(tests) > 0 {
		return usagef("--test and --from-pool exclude each other: a pool brings its questions")
	}
	given := tests
	if len(pools) > 0 {
		given, p.pools = pools, map[string][]rcvae.Question{}
	}
	if !f.Changed("suite") { // those that there are files of
		p.Suites = slices.DeleteFunc(slices.Clone(p.Suites), func(s string) bool { return given[s] == "" })
	}
	if len(p.Suites) == 0 {
		return usagef("--test is missing: name files of test questions, such as --test gsm8k=FILE, or samples with --from-pool gsm8k=POOL")
	}
	n, _ := f.GetInt("questions")
	for _, suite := range p.Suites {
		if given[suite] == "" {
			return usagef("suite %s has no file: give --test %s=FILE or --from-pool %s=POOL", suite, suite, suite)
		}
		if err := p.loadSuite(suite, given[suite], n); err != nil {
			return err
		}
	}
	return nil
}

// loadSuite reads the questions of one suite and chooses n of them.
func (p *protocol) loadSuite(suite, path string, n int) error {
	var questions []rcvae.Question
	var err error
	if p.pools == nil {
		p.all[suite], err = dataset.LoadProblems(path)
	} else if questions, err = dataset.LoadPool(path); err == nil {
		p.Pools = append(p.Pools, filepath.Base(path))
		for _, q := range questions {
			p.all[suite] = append(p.all[suite], q.Problem)
		}
	}
	if err != nil {
		return err
	}
	p.problems[suite] = reproduce.Subset(p.all[suite], n, p.Seed)
	chosen := map[string]bool{}
	for _, problem := range p.problems[suite] {
		p.Questions[suite] = append(p.Questions[suite], problem.ID)
		chosen[problem.ID] = true
	}
	for _, q := range questions {
		if chosen[q.ID] {
			p.pools[suite] = append(p.pools[suite], q)
		}
	}
	return nil
}

// suiteFiles reads a flag of the form SUITE=FILE.
func suiteFiles(cmd *cobra.Command, flag string) (map[string]string, error) {
	pairs, _ := cmd.Flags().GetStringArray(flag)
	files := map[string]string{}
	for _, pair := range pairs {
		suite, path, ok := strings.Cut(pair, "=")
		if !ok || path == "" || !slices.Contains(reproduce.Suites(), suite) {
			return nil, usagef("--%s %q: want SUITE=FILE with a suite of %s", flag, pair, strings.Join(reproduce.Suites(), ", "))
		}
		if files[suite] != "" {
			return nil, usagef("--%s names suite %s twice", flag, suite)
		}
		files[suite] = path
	}
	return files, nil
}

// training reads what the models are trained on.
func (p *protocol) training(cmd *cobra.Command) error {
	f := cmd.Flags()
	limit, _ := f.GetInt("train-questions")
	problems, _ := f.GetStringArray("problems")
	pools, _ := f.GetStringArray("train-pool")
	for _, path := range problems {
		p.Problems = append(p.Problems, filepath.Base(path))
		list, err := dataset.LoadProblems(path)
		if err != nil {
			return err
		}
		if limit > 0 {
			list = list[:min(limit, len(list))]
		}
		for _, problem := range list {
			if problem.Solution != "" {
				p.gold = append(p.gold, rcvae.Reference(problem))
			}
		}
	}
	if len(problems) > 0 && len(p.gold) == 0 {
		return fmt.Errorf("none of the problems of %s has a reference solution, which the published rules learn from", strings.Join(problems, ", "))
	}
	for _, path := range pools {
		p.TrainPool = append(p.TrainPool, filepath.Base(path))
		list, _, err := loadPool(cmd, path, limit, scratch.New(math.MaxInt64))
		if err != nil {
			return err
		}
		p.trainPool = append(p.trainPool, list...)
	}
	return p.apart()
}

// apart fails when a test question is among the training questions.
func (p *protocol) apart() error {
	trained := map[string]string{}
	for _, list := range [][]rcvae.Question{p.gold, p.trainPool} {
		for _, q := range list {
			trained[strings.TrimSpace(q.Question)] = q.ID
		}
	}
	for _, suite := range p.Suites {
		for _, problem := range p.problems[suite] {
			if id, ok := trained[strings.TrimSpace(problem.Question)]; ok {
				return fmt.Errorf("test question %s of %s is training question %s: name training files that have no test question", problem.ID, suite, id)
			}
		}
	}
	return nil
}
