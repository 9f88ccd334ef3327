package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"

	"rcvae/eval"
	"rcvae/internal/style"
)

//go:embed page
var files embed.FS

var templates = template.Must(template.New("").ParseFS(files, "page/*.html"))

// page is what the templates show.
type page struct {
	Title       string
	Style       template.CSS
	Script      template.JS
	Chapters    []*chapter
	Comparisons []comparison
	Runs        []run
	Footer      string
}

// chapter is one pool.
type chapter struct {
	ID, Label, Lead   string
	Tiles             []tile
	Warnings          []string
	HasDetails        bool
	Focus             string
	Accuracy          *plot
	Multiples         []*plot
	OneK              bool
	Forest            forest
	Alone             []seedRow
	AloneModels       []string
	Risk, Calibration *plot
	Entropy, Maps     []*plot
	Signals           []signalRow
	SignalAxis        *plot
	Misordered        bool
	Models            []trained
	Questions         *questionTable
	WithinAUROC       string
}

type tile struct{ Name, Value, Note string }

type seedRow struct {
	Name   string
	Values []string
}

// run is where a result comes from.
type run struct {
	Name, Command, Commit, Started, Config string
	Seed                                   uint64
	Details                                bool
}

func newPage(sources []Source, parts []*part, o Options) (*page, error) {
	own, err := files.ReadFile("page/style.css")
	if err != nil {
		return nil, err
	}
	script, err := files.ReadFile("page/script.js")
	if err != nil {
		return nil, err
	}
	g := &page{Title: "rcvae report", Style: template.CSS(style.Base + string(own)), Script: template.JS(script)}
	if len(parts) > 0 {
		g.Title += ": " + parts[0].label
	}
	for _, p := range parts {
		c, err := p.chapter(o, textBudget/len(parts))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.label, err)
		}
		g.Chapters = append(g.Chapters, c)
	}
	if g.Comparisons, err = compareAll(parts); err != nil {
		return nil, err
	}
	for _, s := range sources {
		r := run{Name: s.Name, Command: s.Result.Run.Command, Commit: s.Result.Run.Commit, Started: s.Result.Run.Started, Seed: s.Result.Run.Seed, Details: s.Details != nil}
		if s.Result.Run.Config != nil {
			config, err := json.Marshal(s.Result.Run.Config)
			if err != nil {
				return nil, fmt.Errorf("configuration of %s: %w", s.Name, err)
			}
			r.Config = string(config)
		}
		g.Runs = append(g.Runs, r)
	}
	if o.Command != "" {
		g.Footer = "Made by " + o.Command + " (commit " + o.Commit + ")."
	}
	g.number()
	return g, nil
}

// chapter draws everything of a part.
func (p *part) chapter(o Options, budget int) (*chapter, error) {
	c := &chapter{
		ID: p.id, Label: p.label, Lead: p.lead(), Tiles: p.tiles(), Warnings: p.warnings(), HasDetails: p.hasDetails, Focus: p.focus,
		Forest: p.forest(), Models: p.models(), Questions: p.table(budget), OneK: len(p.pool.ByK) == 0,
	}
	if len(p.pool.Selectors) > 0 {
		c.Accuracy, c.Multiples = p.accuracyPlot(), p.multiples()
	}
	c.seeds(p.pool)
	if !p.hasDetails || len(p.rows) == 0 {
		return c, nil
	}
	c.Risk, c.Calibration, c.Entropy = p.riskPlot(), p.calibrationPlot(), p.entropyPlots()
	if s := p.selector("entropy"); s != nil {
		c.WithinAUROC = optional(s.AUROC, 1, "%.3f")
	}
	var err error
	if c.Maps, err = p.maps(o.TSNE); err != nil {
		return nil, err
	}
	c.Signals, c.SignalAxis, err = p.signalRows()
	c.Misordered = slices.ContainsFunc(c.Signals, func(r signalRow) bool { return r.Misordered != undefined })
	return c, err
}

// seeds shows what each of several models reaches alone.
func (c *chapter) seeds(pool *eval.Pool) {
	if len(pool.Seeds) == 0 {
		return
	}
	for _, s := range pool.Seeds {
		c.AloneModels = append(c.AloneModels, s.Model)
	}
	for i, s := range pool.Seeds[0].Selectors {
		row := seedRow{Name: s.Name}
		for _, seed := range pool.Seeds {
			if i < len(seed.Selectors) {
				row.Values = append(row.Values, fmt.Sprintf("%s (%s)", percent(seed.Selectors[i].Accuracy), points(seed.Selectors[i].VsMajority.Diff)))
			}
		}
		c.Alone = append(c.Alone, row)
	}
}

// lead says in words what the pool shows.
func (p *part) lead() string {
	s := p.selector(p.focus)
	if s == nil {
		return "No rule was measured."
	}
	text := fmt.Sprintf("%s is correct on %s %% of %d questions %s", s.Name, percent(s.Accuracy), s.N, interval(s.CI95))
	if s.Name == majority {
		return text + "."
	}
	text += fmt.Sprintf("; a majority vote of the same %d candidates on %s %%. The difference is %s points %s", p.pool.K, percent(p.pool.Majority), points(s.VsMajority.Diff), pointInterval(s.VsMajority.CI95))
	switch ci := s.VsMajority.CI95; {
	case ci == nil:
		return text + "; there are too few questions for an interval."
	case ci[0] > 0 || ci[1] < 0:
		return text + ", p " + against(s.VsMajority.P) + "."
	}
	return text + "; the interval includes 0."
}

func against(p *float64) string {
	if text := pValue(p); text[0] == '<' {
		return "< " + text[1:]
	}
	return "= " + pValue(p)
}

func (p *part) tiles() []tile {
	tiles := []tile{
		{"one candidate", percent(p.pool.MeanAt1), "mean@1"},
		{"majority vote", percent(p.pool.Majority), fmt.Sprintf("of %d", p.pool.K)},
	}
	if s := p.selector(p.focus); s != nil && s.Name != majority {
		tiles = append(tiles, tile{s.Name, percent(s.Accuracy), points(s.VsMajority.Diff) + " points " + pointInterval(s.VsMajority.CI95)})
	}
	return append(tiles, tile{"any candidate", percent(p.pool.PassAtK), fmt.Sprintf("pass@%d", p.pool.K)})
}

func (p *part) warnings() []string {
	w := slices.Clone(p.pool.Warnings)
	for _, at := range p.pool.ByK {
		for _, text := range at.Warnings {
			w = append(w, fmt.Sprintf("k = %d: %s", at.K, text))
		}
	}
	return w
}

// number gives the plots that are read out their ids.
func (g *page) number() {
	next := 0
	give := func(plots ...*plot) {
		for _, p := range plots {
			if p != nil {
				next++
				p.ID = fmt.Sprintf("plot%d", next)
			}
		}
	}
	for _, c := range g.Chapters {
		give(c.Accuracy, c.Risk, c.Calibration)
		give(c.Multiples...)
		give(c.Entropy...)
		give(c.Maps...)
		for _, m := range c.Models {
			give(m.Plots...)
		}
	}
}
