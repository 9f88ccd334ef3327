//go:build !noqueue

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/queue"
)

// drawSpread has the missing problems drawn by workers, and by this process if it has a
// server to draw from.
func (r *drawingRun) drawSpread(cmd *cobra.Command, problems []rcvae.Problem) error {
	crew, err := r.openCrew(cmd)
	if err != nil {
		return err
	}
	defer crew.Close()
	crew.show = r.showWorkers
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	s := &spreadDraw{drawingRun: r, stop: cancel, missing: map[string]rcvae.Problem{}}
	for _, p := range r.store.missing(problems) {
		s.missing[p.ID] = p
	}
	left, err := crew.coordinator.Recover(ctx, s.commit)
	if err != nil {
		return s.ended(ctx, err)
	}
	work, drop, err := s.plan(problems, left)
	if err != nil {
		return err
	}
	crew.coordinator.Drop(ctx, drop)
	faulty, err := crew.coordinator.Do(ctx, work)
	for _, f := range faulty {
		s.blame(f)
	}
	return s.ended(ctx, err)
}

func (r *drawingRun) openCrew(cmd *cobra.Command) (*crew, error) {
	settings, err := json.Marshal(r.plan)
	if err != nil {
		return nil, err
	}
	store := r.store.outPath + ".queue"
	if r.store.anew {
		if err := os.RemoveAll(store); err != nil {
			return nil, fmt.Errorf("start anew: %w", err)
		}
	}
	model := r.plan.Settings.Model
	run := queue.Run(string(queue.Sampling), string(settings), place(store))
	crew, err := openCrew(cmd, store, true, "questions", queue.SampleSpec(model, run, commit))
	if err != nil {
		return nil, err
	}
	if idle, _ := cmd.Flags().GetBool("no-local"); r.sampled != nil && !idle {
		if err := crew.work(&queue.SampleSkill{Sampler: r.sampled, Model: model}, r.sampled.Concurrency()); err != nil {
			crew.Close()
			return nil, err
		}
	}
	return crew, nil
}

func (r *drawingRun) showWorkers(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.workers = text
	r.show()
}

// spreadDraw is the drawing of one run by workers.
type spreadDraw struct {
	*drawingRun
	stop    func()
	missing map[string]rcvae.Problem // by id
}

// ended returns an error of the queue, unless the run was stopped or interrupted, which
// others tell.
func (s *spreadDraw) ended(ctx context.Context, err error) error {
	if s.stopped != nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

func (s *spreadDraw) job(p rcvae.Problem) (queue.Job, error) {
	return queue.SampleJob{ID: p.ID, Question: p.Question, K: s.drawingRun.plan.K, Greedy: s.drawingRun.plan.Greedy, Settings: s.drawingRun.plan.Settings}.Job()
}

// plan makes a job for every missing problem that has none in the queue yet.
func (s *spreadDraw) plan(problems []rcvae.Problem, left []queue.Left) (work queue.Work, drop []queue.Left, err error) {
	there := map[string]queue.Left{}
	for _, l := range left {
		there[l.ID] = l
	}
	work.Commit = s.commit
	for _, p := range problems {
		if _, missing := s.missing[p.ID]; !missing {
			continue
		}
		job, err := s.job(p)
		if err != nil {
			return work, nil, err
		}
		if l, ok := there[job.ID]; ok {
			work.Adopt = append(work.Adopt, l)
			delete(there, job.ID)
			continue
		}
		work.Jobs = append(work.Jobs, job)
	}
	for _, l := range there {
		drop = append(drop, l)
	}
	return work, drop, nil
}

// commit grades and stores what a worker drew. A result that cannot be stored is not
// acknowledged: the next run has it.
func (s *spreadDraw) commit(_ string, data []byte) error {
	r, err := queue.DecodeSample(data)
	if err != nil {
		return err
	}
	p, missing := s.missing[r.Question.ID]
	if !missing || p.Question != r.Question.Question {
		return nil // it is stored, or belongs to another run
	}
	item := rcvae.Question{Problem: p, Candidates: r.Question.Candidates}
	if r.Error != "" {
		err = errors.New(r.Error)
	} else {
		err = regrade([]rcvae.Question{item}, s.drawingRun.plan.Grader)
	}
	if r.Warning != "" {
		s.warn(p.ID + ": " + r.Warning)
	}
	s.finished(item, r.Tokens, err, s.stop)
	if errors.Is(s.stopped, errStore) {
		return s.stopped
	}
	delete(s.missing, p.ID)
	return nil
}

// blame records a problem that no worker could draw for.
func (s *spreadDraw) blame(f queue.Faulty) {
	var job queue.SampleJob
	if err := json.Unmarshal(f.Job.Data, &job); err == nil {
		s.finished(rcvae.Question{Problem: rcvae.Problem{ID: job.ID}}, 0, errors.New(f.Reason), s.stop)
	}
}
