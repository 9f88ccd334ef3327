package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"rcvae"
	"rcvae/dataset"
	"rcvae/grade"
	"rcvae/llm"
)

func newSample() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sample",
		Short: "Draw a pool of solutions from a language model",
		Long: `Draw k solutions of every problem from a language model behind an OpenAI-compatible
server, grade them, and write a pool for train and eval.

Finished problems are kept in OUT.partial, so the same command goes on after an
interruption; only unfinished problems are drawn again. OUT.run.json holds the
settings, the prompt template, how the server behaved and which problems failed.

A problem that the server refuses is left out and the others are drawn; --keep-going
then finishes the pool without it. A server that is away is waited for (--retry-for)
before the run stops.`,
		Example: `  rcvae sample --problems train.jsonl --upstream http://127.0.0.1:8080/v1 --llm qwen2.5-0.5b -k 16 --out pool.jsonl.gz`,
		Args:    noArgs,
		RunE:    runSample,
	}
	f := cmd.Flags()
	f.StringArray("problems", nil, "`FILE` of problems (repeatable, required)")
	f.Int("max-questions", 0, "draw for the first `N` problems (0: all)")
	f.String("out", "", "pool `FILE` to write, compressed if it ends in .gz or .zst (required)")
	f.Bool("greedy", false, "also draw one greedy candidate, which comes first")
	f.String("grader", "gsm8k", "how solutions are graded: gsm8k, gsm8k-strict or math")
	f.Int64("seed", 1, "seed of each question's first candidate; the others count on from there")
	f.Bool("resume", true, "go on with what an interrupted run has drawn; false removes that, and the pool, once the server has answered")
	f.Bool("json", false, "print the summary as JSON")
	f.Bool("keep-going", false, "finish the pool without the problems that failed, and list them")
	f.StringSlice("omit", nil, "do not send these `FIELDS`: temperature, top_p, top_k, min_p (with neutral values) or seed")
	addPatienceFlags(cmd, 5*time.Minute, 5*time.Minute, true)
	addSamplingFlags(cmd, 16)
	return cmd
}

// plan is what makes two runs of sample draw from one distribution.
type plan struct {
	K        int          `json:"k"`
	Greedy   bool         `json:"greedy"`
	Grader   string       `json:"grader"`
	Settings llm.Settings `json:"settings"`
}

// drawingRun is one run of the command.
type drawingRun struct {
	plan    plan
	sampled *llm.Sampler
	greedy  *llm.Sampler // nil: none
	store   *sampleStore

	mu       sync.Mutex
	bar      *progress
	total    int // problems
	start    time.Time
	tokens   int // drawn in this run
	failures []failedProblem
	stopped  error // why the run ended before all problems were tried; nil when it did not
	warnings []string
}

// maxFailedProblems ends a run in which nothing has succeeded: so many failures are not
// those of single problems.
const maxFailedProblems = 10

func runSample(cmd *cobra.Command, _ []string) error {
	run, problems, out, err := newDrawingRun(cmd)
	if err != nil {
		return err
	}
	f := cmd.Flags()
	resume, _ := f.GetBool("resume")
	keepGoing, _ := f.GetBool("keep-going")
	summary, err := run.pool(cmd, problems, out, resume, keepGoing)
	if err != nil {
		return err
	}
	return printSummary(cmd, out, summary)
}

// pool draws the problems into the pool at out, going on with what an interrupted run
// has left there.
func (r *drawingRun) pool(cmd *cobra.Command, problems []rcvae.Problem, out string, resume, keepGoing bool) (summary sampleSummary, err error) {
	if r.store, err = openStore(out, commandLine(cmd), r.plan, problems, resume); err != nil {
		return summary, err
	}
	defer r.store.close()
	if r.store.idle(problems) {
		_, summary = r.store.summarize(problems)
		note(cmd, "%s is finished: nothing is drawn", out)
		return summary, nil
	}
	if err := confirmRemoval(cmd, r.store.left()); err != nil {
		return summary, err
	}
	r.store.record = newRunRecord(cmd, r)
	if resume {
		if err := r.store.begin(); err != nil {
			return summary, fmt.Errorf("sample: %w", err)
		}
	}
	if err := r.check(cmd.Context(), problems); err != nil {
		return summary, err
	}
	r.draw(cmd.Context(), problems)
	r.order(problems)
	return r.conclude(cmd, problems, keepGoing)
}

// conclude writes what was drawn, and the pool when that is all.
func (r *drawingRun) conclude(cmd *cobra.Command, problems []rcvae.Problem, keepGoing bool) (summary sampleSummary, err error) {
	record := r.store.record
	record.finish(r)
	if err := r.store.writeRecord(record); err != nil {
		return summary, fmt.Errorf("%w; %d of %d problems are drawn and kept in %s; run the same command to continue", err, r.store.count(), len(problems), r.store.partialPath)
	}
	for _, w := range r.warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", w)
	}
	if missing := len(problems) - r.store.count(); missing > 0 {
		all := cmd.Context().Err() == nil && r.stopped == nil && r.store.count() > 0
		if !all || !keepGoing {
			return summary, r.unfinished(cmd.Context(), missing, len(problems))
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: the pool is without %d of %d problems: %s\n", missing, len(problems), r.listed())
	}
	if summary, err = r.store.finish(problems); err != nil {
		return summary, err
	}
	r.bar.done(len(problems))
	record.Summary = &summary
	return summary, r.store.writeRecord(record)
}

func newDrawingRun(cmd *cobra.Command) (run *drawingRun, problems []rcvae.Problem, out string, err error) {
	f := cmd.Flags()
	paths, _ := f.GetStringArray("problems")
	if len(paths) == 0 {
		return nil, nil, "", usagef("--problems is missing: name a file of problems")
	}
	if out, _ = f.GetString("out"); out == "" {
		return nil, nil, "", usagef("--out is missing: name the pool to write")
	}
	run = &drawingRun{bar: newProgress(cmd, "sampling", "questions"), start: time.Now()}
	if run.plan.K, err = candidateCount(cmd); err != nil {
		return nil, nil, "", err
	}
	run.plan.Greedy, _ = f.GetBool("greedy")
	run.plan.Grader, _ = f.GetString("grader")
	if _, err := grade.New(run.plan.Grader); err != nil {
		return nil, nil, "", usageError{err}
	}
	seed, _ := f.GetInt64("seed")
	if run.sampled, err = openSampler(cmd, seed, nil); err != nil {
		return nil, nil, "", err
	}
	run.plan.Settings = run.sampled.Settings()
	if run.plan.Greedy {
		if run.greedy, err = run.sampled.With(run.plan.Settings.Greedy()); err != nil {
			return nil, nil, "", usageError{err}
		}
	}
	for _, path := range []string{out, out + ".partial", out + ".run.json", out + ".sha256"} {
		if err := checkWritable(path, paths...); err != nil {
			return nil, nil, "", err
		}
	}
	if problems, err = dataset.LoadProblems(paths...); err != nil {
		return nil, nil, "", err
	}
	if limit, _ := f.GetInt("max-questions"); limit > 0 {
		problems = problems[:min(limit, len(problems))]
	}
	run.total = len(problems)
	return run, problems, out, nil
}

// draw draws what is missing, several problems at once, and stores each as it is
// finished.
func (r *drawingRun) draw(ctx context.Context, problems []rcvae.Problem) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.bar.say(fmt.Sprintf("%d of %d questions to go, from %s", r.total-r.store.count(), r.total, r.sampled.URL()))
	r.bar.update(r.store.count(), r.total)
	var group errgroup.Group
	group.SetLimit(r.sampled.Concurrency())
	for _, p := range r.store.missing(problems) {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			item, tokens, err := r.item(ctx, p)
			r.finished(item, tokens, err, cancel)
			return nil
		})
	}
	_ = group.Wait() // what failed is in r
}

// item draws the candidates of one problem and grades them.
func (r *drawingRun) item(ctx context.Context, p rcvae.Problem) (rcvae.Question, int, error) {
	item := rcvae.Question{Problem: p}
	tokens := 0
	add := func(s *llm.Sampler, k int) error {
		candidates, draw, err := s.Draw(ctx, p.Question, k)
		if err != nil {
			return err
		}
		if len(candidates) < k {
			r.warn(fmt.Sprintf("%s: %d of %d candidates came back: %v", p.ID, len(candidates), k, draw.Err))
		}
		item.Candidates = append(item.Candidates, candidates...)
		tokens += draw.Usage.CompletionTokens
		return nil
	}
	if r.greedy != nil {
		if err := add(r.greedy, 1); err != nil {
			return item, 0, err
		}
	}
	if err := add(r.sampled, r.plan.K); err != nil {
		return item, 0, err
	}
	return item, tokens, regrade([]rcvae.Question{item}, r.plan.Grader)
}

func (r *drawingRun) warn(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	const most = 20
	switch len(r.warnings) {
	case most:
		r.warnings = append(r.warnings, "more problems have fewer candidates; the pool shows which")
	case most + 1:
	default:
		r.warnings = append(r.warnings, text)
	}
}

// check asks the server once, so that a wrong address or key is told at once.
func (r *drawingRun) check(ctx context.Context, problems []rcvae.Problem) error {
	if len(r.store.missing(problems)) == 0 {
		return nil
	}
	err := r.sampled.Ready(ctx)
	status, ok := errors.AsType[*llm.StatusError](err)
	cause := llm.CauseOf(err)
	if cause == llm.CauseRefused || cause == llm.CauseDial || ok && status.AboutKey() {
		r.stopped = fmt.Errorf("ask the server: %w", err)
		return r.unfinished(ctx, len(problems)-r.store.count(), len(problems))
	}
	return nil // other trouble is that of the calls that have it
}

// finished stores an item, or keeps why it failed. The run stops when the other
// problems would fail too.
func (r *drawingRun) finished(item rcvae.Question, tokens int, err error, stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = r.store.add(item)
	}
	if err == nil {
		r.tokens += tokens
		r.bar.note = fmt.Sprintf("%.0f tokens/s", float64(r.tokens)/max(time.Since(r.start).Seconds(), 1e-3))
		r.bar.update(r.store.count(), r.total)
		return
	}
	if errors.Is(err, context.Canceled) {
		return
	}
	r.failures = append(r.failures, failedProblem{item.ID, err.Error()})
	if hopeless(err) || r.store.count() == 0 && len(r.failures) >= maxFailedProblems {
		if r.stopped == nil {
			r.stopped = fmt.Errorf("problem %s: %w", item.ID, err)
		}
		stop()
	}
}
