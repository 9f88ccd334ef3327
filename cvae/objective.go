package cvae

import (
	"fmt"
	"slices"
	"strings"

	"rcvae"
)

// Names of the objectives of this package.
const (
	Paper       = "paper"
	Authors     = "authors"
	Contrastive = "contrastive"
	Ratio       = "ratio"
)

// The scores that an objective can calibrate; see [rcvae.Calibration].
const (
	ScoreEntropy = "entropy" // −Scale · HalfLogVar
	ScoreRatio   = "ratio"   // Scale · Likelihood.Ratio
)

// objectives is the list of all objectives: a new one is a file and an entry here.
func objectives() []Objective {
	return []Objective{paperObjective(), authorsObjective(), contrastiveObjective(), ratioObjective()}
}

// Objective is what a model is trained for. [LookupObjective] returns those of this
// package; one of your own goes into [Options].Objective. The fields without a function
// are stored in the model file, so that a model can be read without its objective.
type Objective struct {
	Name  string `json:"name"`  // is that of Config.Objective
	Score string `json:"score"` // that is calibrated: ScoreEntropy or ScoreRatio

	// Graded objectives read verdicts. A step takes whole questions, and ungraded
	// candidates are left out; inputs are standardised over all graded candidates.
	// Other objectives see the candidates that have a role, one by one.
	Graded bool `json:"graded"`

	// Listwise objectives compare the candidates of a question. They learn the scale of
	// the score, need a question with correct and incorrect candidates, and compare
	// epochs by Terms.Listwise in place of −ELBO.
	Listwise bool `json:"listwise"`

	// Classes gives the decoder an input c, 1 for correct and 0 for incorrect. Rows of
	// the listwise loss then have Row.ClassSquare.
	Classes bool `json:"classes"`

	// Defaults changes the settings that all objectives share to this one's.
	Defaults func(*Config) `json:"-"`

	// Roles returns the role of each candidate; 0 keeps it out of the loss. The engine
	// takes InList away where a question's list is not mixed.
	Roles func(rcvae.Question) []Role `json:"-"`

	// Loss returns the loss of a batch and its gradient. It is a pure function.
	Loss func(Statistics) Loss `json:"-"`
}

// Role says where a candidate enters the loss. Roles add up.
type Role uint8

// The roles.
const (
	InELBO Role = 1 << iota // its reconstruction and KL divergence count
	InList                  // its score is compared with those of its question
)

// Has reports whether r includes s.
func (r Role) Has(s Role) bool { return r&s == s }

// Objectives returns the names of all objectives.
func Objectives() []string {
	var names []string
	for _, o := range objectives() {
		names = append(names, o.Name)
	}
	return names
}

// LookupObjective returns the objective of that name.
func LookupObjective(name string) (Objective, error) {
	all := objectives()
	i := slices.IndexFunc(all, func(o Objective) bool { return o.Name == name })
	if i < 0 {
		return Objective{}, fmt.Errorf("objective %q is unknown: use one of %s", name, strings.Join(Objectives(), ", "))
	}
	return all[i], nil
}

// Config returns the objective's default settings for embeddings of the given
// dimension and the signal columns of those names.
func (o Objective) Config(dimension int, signals ...string) Config {
	c := commonConfig(dimension, signals)
	c.Objective = o.Name
	if o.Defaults != nil {
		o.Defaults(&c)
	}
	return c
}

// check reports what an objective from outside lacks.
func (o Objective) check() error {
	switch {
	case o.Roles == nil || o.Loss == nil:
		return fmt.Errorf("objective %q has no roles or no loss", o.Name)
	case o.Score != ScoreEntropy && o.Score != ScoreRatio:
		return fmt.Errorf("objective %q calibrates the score %q: use %q or %q", o.Name, o.Score, ScoreEntropy, ScoreRatio)
	case o.Score == ScoreRatio && !o.Classes:
		return fmt.Errorf("objective %q calibrates the ratio of classes that its decoder does not know: set Classes", o.Name)
	}
	return nil
}
