package selector_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/selector"
	"rcvae/signal"
)

// signalModel has the sum of its signals, weighted 1, 10, …, as the score of a solution,
// and counts its calls.
type signalModel struct {
	signals []string
	version int
	calls   *int
}

func (m signalModel) Info() rcvae.ModelInfo {
	return rcvae.ModelInfo{Fingerprint: hashFingerprint, Signals: m.signals, SignalVersion: m.version, Calibration: rcvae.Calibration{Scale: 1, Tau: 1}}
}

func (m signalModel) Infer(_ rcvae.Embedding, solutions []rcvae.Solution, _ bool) ([]rcvae.Inference, error) {
	*m.calls++
	out := make([]rcvae.Inference, len(solutions))
	for i, s := range solutions {
		var sum float32
		for j, v := range s.Signals {
			sum += float32(v) * []float32{1, 10}[j]
		}
		out[i] = rcvae.Inference{Posterior: rcvae.Posterior{Mu: []float32{0}, LogVar: []float32{-2 * sum}}, InDistribution: 1}
	}
	return out, nil
}

// A model gets its signals, in its order, as package signal has them for the subset; it
// is asked again for a subset only if they compare candidates.
func TestModelsGetTheirSignals(t *testing.T) {
	candidates := []rcvae.Candidate{
		{Text: "3 + 4 = 7 and 7 * 2 = 14", Answer: "14"}, {Text: "3 + 4 = 8 and 8 * 2 = 16", Answer: "16"}, {Text: "3 + 4 = 7 and 7 * 3 = 22", Answer: "22"},
	}
	for _, tt := range []struct {
		name    string
		signals []string
		calls   int // for three evidences
	}{
		{"that compare", []string{"agree_results", "wrong"}, 3},
		{"centred", []string{"wrong", "equations_centred"}, 3},
		{"of one text", []string{"answer_last_result", "wrong"}, 1},
		{"none", nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls := new(int)
			p := prepare(t, candidates, sourcesOf(signalModel{tt.signals, signal.Version, calls}), selector.NeedEmbeddings|selector.NeedModel)
			evidenceOf(t, p, nil)
			evidenceOf(t, p, []int{0, 2})
			got := choose(t, "entropy", evidenceOf(t, p, []int{2, 1})).Scores
			table := signal.Compute("question", []rcvae.Candidate{candidates[2], candidates[1]})
			for i, score := range got {
				var want float32
				for j, name := range tt.signals {
					column := slices.IndexFunc(table.Columns, func(c signal.Column) bool { return c.Name == name })
					want += float32(table.Values[i][column]) * []float32{1, 10}[j]
				}
				if score != float64(want) {
					t.Errorf("score of candidate %d is %v, want %v of its signals", i+1, score, want)
				}
			}
			if *calls != tt.calls {
				t.Errorf("the model was asked %d times, want %d", *calls, tt.calls)
			}
		})
	}
}

func TestUnknownSignalsAreErrors(t *testing.T) {
	for _, tt := range []struct {
		model signalModel
		want  string
	}{
		{signalModel{[]string{"wrong", "depth"}, signal.Version, nil}, `model 1: it was trained on the signal "depth", which is not known here`},
		{signalModel{[]string{"wrong"}, signal.Version + 1, nil}, fmt.Sprintf("model 1: it was trained on version %d of the signals wrong, this is version %d", signal.Version+1, signal.Version)},
	} {
		sources := sourcesOf(tt.model)
		if _, err := selector.New(mustParse(t, "entropy"), sources, selector.Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New() = %v, want %q", err, tt.want)
		}
		sources.Embedder = nil
		question := encoded(answers("a"), unitX, unitX)
		if _, err := selector.PrepareEncoded(t.Context(), question, sources, mustParse(t, "entropy").Needs()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("PrepareEncoded() = %v, want %q", err, tt.want)
		}
	}
}

var unitX = rcvae.Embedding{1, 0, 0, 0, 0, 0}

// The columns of a subset are those of package signal for the subset alone, for scores
// and for models.
func TestSignalsOfTexts(t *testing.T) {
	candidates := []rcvae.Candidate{
		{Text: "3 + 4 = 7, so 7", Answer: "7"}, {Text: "3 + 4 = 8, so 8", Answer: "8"}, {Text: "2 + 2 = 5. Then 3 + 4 = 9.", Answer: "9"},
	}
	p := prepare(t, candidates, selector.Sources{}, selector.NeedSignals)
	for _, subset := range [][]int{{0, 1, 2}, {2, 0}, {1, 0, 2}, {0, 0, 2}} {
		var alone []rcvae.Candidate
		for _, i := range subset {
			alone = append(alone, candidates[i])
		}
		table := signal.Compute("question", alone)
		for j, c := range table.Columns {
			score := selector.Signal(c.Name)
			column, err := evidenceOf(t, p, subset).Column(t.Context(), score)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range column.Raw {
				if want := table.Values[i][j]; !math.IsNaN(want) && v != want { // a missing value is filled in
					t.Errorf("%s of candidate %d in %v is %v, want %v", c.Name, i+1, subset, v, table.Values[i][j])
				}
			}
		}
	}
	wrong := selector.Score{Name: "arithmetic", Best: "fewest wrong equations", Tau: new(1.0), Terms: []selector.Term{{Weight: -1, Score: selector.Signal("wrong")}}}
	got := selectBy(t, selector.Rule{Score: wrong, Aggregate: selector.Tiebreak}, selector.Sources{}, candidates)
	if got.Index != 0 || got.Reason != "1 of 3 votes for 7, a tie broken by the fewest wrong equations; candidate 2 says 3 + 4 = 8, which should be 7" {
		t.Errorf("a tie-break by wrong equations = %d, %q", got.Index, got.Reason)
	}
	if _, err := evidenceOf(t, p, nil).Column(t.Context(), selector.Signal("nonsense")); err == nil {
		t.Error("a signal that does not exist is no error")
	}
}

// The model of signals says nothing of questions that are no word problems, and models
// that read signals nothing where a candidate is a program: there checked arithmetic
// counts.
func TestSignalsKnowTheirScope(t *testing.T) {
	const story, formula = "Ann has 3 apples and buys 4 more at the market. How many does she have now?", "Solve $3 + x = 7$ for x and then add the 3 again."
	prose := []rcvae.Candidate{{Text: "3 + 4 = 8", Answer: "8"}, {Text: "3 + 4 = 7", Answer: "7"}}
	mixed := append(slices.Clone(prose), rcvae.Candidate{Text: "```python\nprint(9)\n```", Answer: "9"})
	sources := selector.Sources{Signals: ofSignals{}}
	weights := func(name, question string, candidates []rcvae.Candidate) []float64 {
		rule := mustParse(t, name)
		p, err := selector.Prepare(t.Context(), question, candidates, sources, rule.Needs())
		if err != nil {
			t.Fatal(err)
		}
		c := chooseBy(t, rule, evidenceOf(t, p, nil))
		for k := range c.Weights {
			c.Weights[k] /= c.Weights[len(c.Weights)-1]
		}
		return c.Weights
	}
	for _, tt := range []struct {
		name, question string
		candidates     []rcvae.Candidate
		knows          bool
	}{{"a word problem", story, prose, true}, {"a formula", formula, prose, false}, {"a program", story, mixed, false}} {
		signals, arithmetic := weights("vote:signals", tt.question, tt.candidates), weights("vote:arithmetic", tt.question, tt.candidates)
		if same := math.Abs(signals[0]-arithmetic[0]) < 1e-9; same == tt.knows {
			t.Errorf("%s: weights %v, those of checked arithmetic are %v", tt.name, signals, arithmetic)
		}
	}
	model := columnModel{[]float64{9, 1, 5}, nil, 1}
	e := evidenceOf(t, prepare(t, mixed, sourcesOf(model), mustParse(t, "entropy").Needs()), nil)
	if w := e.InDistribution(2); w != 1 {
		t.Errorf("a program has weight %v with a model that reads no signals, want 1", w)
	}
}

// Where a model does not apply the model of signals votes in its place.
func TestSignalsStandInForTheModel(t *testing.T) {
	const story = "Ann has 3 apples and buys 4 more at the market. How many does she have now?"
	candidates := []rcvae.Candidate{{Text: "3 + 4 = 8", Answer: "8"}, {Text: "3 + 4 = 7", Answer: "7"}, {Text: "so 7", Answer: "7"}}
	sources := sourcesOf(columnModel{[]float64{9, 1, 5}, []float64{0, 0, 0}, .25})
	var got, want []float64
	for name, weights := range map[string]*[]float64{"vote:entropy": &got, "vote:signals": &want} {
		rule := mustParse(t, name)
		p, err := selector.Prepare(t.Context(), story, candidates, sources, rule.Needs())
		if err != nil {
			t.Fatal(err)
		}
		*weights = chooseBy(t, rule, evidenceOf(t, p, nil)).Weights
	}
	if math.Abs(got[0]/got[1]-want[0]/want[1]) > 1e-9 {
		t.Errorf("weights %v, want the ratio of vote:signals, %v", got, want)
	}
}

// namedSignals is a model with these signals, which nobody asks.
type namedSignals struct {
	columnModel
	names []string
	alone bool // it reads no embedding
}

func (m namedSignals) Info() rcvae.ModelInfo {
	info := m.columnModel.Info()
	info.Signals, info.SignalVersion = m.names, signal.Version
	if m.alone {
		info.Fingerprint = rcvae.Fingerprint{}
	}
	return info
}

// Log-probabilities are worth asking for where the rule or a signal of a model that it
// uses looks at them.
func TestLooksAtLogProbs(t *testing.T) {
	with := namedSignals{names: []string{"wrong", "logprob_tail"}}
	without := namedSignals{names: []string{"wrong"}}
	alone := func(m namedSignals) rcvae.Model { m.alone = true; return m }
	for _, tt := range []struct {
		rule           string
		model, signals rcvae.Model
		want           bool
	}{
		{"logprob", without, nil, true},
		{"vote:entropy", with, nil, true},
		{"vote:entropy", without, nil, false},
		{"vote:entropy", without, alone(with), true},
		{"vote:entropy+logprob", without, nil, true},
		{"vote:signals", without, alone(with), true},
		{"vote:signals", with, alone(without), false},
		{"majority", with, alone(with), false},
		{"vote:arithmetic", with, alone(with), false},
		{"vote:consensus", with, alone(with), false},
	} {
		sources := sourcesOf(tt.model)
		sources.Signals = tt.signals
		b, err := selector.New(mustParse(t, tt.rule), sources, selector.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.LooksAtLogProbs(); got != tt.want {
			t.Errorf("%s with %v and %v looks at log-probabilities: %v, want %v", tt.rule, tt.model, tt.signals, got, tt.want)
		}
	}
}
