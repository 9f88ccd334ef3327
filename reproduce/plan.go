package reproduce

import (
	"fmt"
	"io"
	"strings"
	"time"

	"rcvae"
)

// Plan is what a run is about to do.
type Plan struct {
	LLM      string
	Embedder string
	Suites   []SuitePlan
	Arms     []Arm
	Gold     int // reference solutions that the published rules are trained on; 0: they are left out
	Pool     int // candidates that this project's rule is trained on; 0: the built-in model
	Seeds    []uint64
	Drawn    bool // the samples are there already
}

// SuitePlan is the part of a [Plan] for one suite.
type SuitePlan struct {
	Name      string
	Questions int
	Of        int // questions in the file
}

// Solutions returns how many solutions the language model is asked for.
func (p Plan) Solutions() (n int) {
	if p.Drawn {
		return 0
	}
	for _, s := range p.Suites {
		for _, a := range p.Arms {
			n += s.Questions * a.Samples
		}
	}
	return n
}

// Texts returns how many texts are embedded at most: the questions and samples that the
// rules see, and what models are trained on. A cache may have some of them.
func (p Plan) Texts() (n int) {
	for _, s := range p.Suites {
		n += s.Questions
		for _, a := range p.Arms {
			if a.Name == TopP {
				n += s.Questions * a.Samples
			}
		}
	}
	return n + 2*p.Gold + p.Pool
}

// Estimate is how long the parts of a plan take.
type Estimate struct {
	Fastest, Slowest time.Duration // of sampling: all calls at once as fast as one alone, and one after the other
	Embedding        time.Duration
}

// textsPerSecond is what the built-in encoders embed on two cores, see docs/benchmarks.md.
const textsPerSecond = 28

// Estimate returns how long the plan takes when one solution alone took perSolution and
// concurrency calls are under way at once. Models are trained in seconds to minutes.
func (p Plan) Estimate(perSolution time.Duration, concurrency int) Estimate {
	all := time.Duration(p.Solutions()) * perSolution
	return Estimate{
		Fastest: all / time.Duration(max(concurrency, 1)), Slowest: all,
		Embedding: time.Duration(p.Texts()) * time.Second / textsPerSecond,
	}
}

// Write writes the plan for people.
func (p Plan) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "plan: Table 1 for %s, embedder %s\n", p.LLM, p.Embedder)
	for _, s := range p.Suites {
		fmt.Fprintf(&b, "  %-6s %d of %d questions\n", title(s.Name), s.Questions, s.Of)
	}
	for _, a := range p.Arms {
		s := a.Settings
		fmt.Fprintf(&b, "  %-15s %2d per question, temperature %g, top-p %g, top-k %d\n", a.Name, a.Samples, s.Temperature, s.TopP, s.TopK)
	}
	if p.Gold == 0 {
		b.WriteString("  the published rules are left out: name training problems with --problems\n")
	} else {
		fmt.Fprintf(&b, "  published rules: %d reference solutions, seeds %v\n", p.Gold, p.Seeds)
	}
	if p.Pool == 0 {
		b.WriteString("  our rule: the built-in model\n")
	} else {
		fmt.Fprintf(&b, "  our rule: trained on %d graded samples, seeds %v\n", p.Pool, p.Seeds)
	}
	fmt.Fprintf(&b, "  %d solutions to draw, at most %d texts to embed\n", p.Solutions(), p.Texts())
	_, err := io.WriteString(w, b.String())
	return err
}

// String says the estimate in one line.
func (e Estimate) String() string {
	text := fmt.Sprintf("estimate: about %s of embedding if nothing is cached (built-in encoders, two cores)", e.Embedding.Round(time.Second))
	if e.Slowest > 0 {
		text += fmt.Sprintf("; %s to %s of sampling, less what is drawn already", e.Fastest.Round(time.Second), e.Slowest.Round(time.Second))
	}
	return text
}

// PlanSuites returns the plan of each suite.
func PlanSuites(names []string, chosen, all map[string][]rcvae.Problem) (plans []SuitePlan) {
	for _, name := range names {
		plans = append(plans, SuitePlan{name, len(chosen[name]), len(all[name])})
	}
	return plans
}
