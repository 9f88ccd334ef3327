package foreign

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"rcvae"
	"rcvae/dataset"
)

// importer collects the questions of a pool.
type importer struct {
	Options
	form  *form
	names map[string][]string // of the form, or the caller's in their place
	inner map[string][]string // the same for candidates that are objects

	path string         // of the file that is read
	line int            // of the record that is read
	once map[string]int // records that must not occur twice, in this file

	questions []rcvae.Question
	byID      map[string]int // positions in questions
	byText    map[string]int

	problems map[string]*rcvae.Problem // by id and by text
	requests map[string]string         // of openai-batch: prompts by custom_id
	filter   map[string]string         // of lm-eval: the filter that is read, by file
	report   Report
}

func newImporter(f *form, o Options) (*importer, error) {
	im := &importer{
		Options: o, form: f, names: maps.Clone(f.names), inner: maps.Clone(completionNames), byID: map[string]int{}, byText: map[string]int{},
		problems: map[string]*rcvae.Problem{}, requests: map[string]string{}, filter: map[string]string{},
	}
	for field, theirs := range o.Fields {
		if !slices.Contains(Fields(), field) {
			return nil, fmt.Errorf("a pool has no field %q; it has %s", field, strings.Join(Fields(), ", "))
		}
		im.names[field] = nil
		if theirs != "" {
			im.names[field] = []string{theirs}
			im.inner[field] = append([]string{theirs}, im.inner[field]...)
		}
	}
	for i := range o.Problems {
		p := &o.Problems[i]
		im.problems["id "+p.ID], im.problems["text "+p.Question] = p, p
	}
	return im, nil
}

// sampleNumber is what tools append to the id of a question for each of its samples.
var sampleNumber = regexp.MustCompile(`[-_:/.#]+(sample|s|k|n)?[-_]?\d+$`)

// problem finds what the given problems say of a question.
func (im *importer) problem(q rcvae.Question) *rcvae.Problem {
	return cmp.Or(im.problems["id "+q.ID], im.problems["text "+q.Question], im.problems["id "+sampleNumber.ReplaceAllString(q.ID, "")])
}

// add adds a question to the pool, or its candidates to the same question.
func (im *importer) add(q rcvae.Question) error {
	if p := im.problem(q); p != nil {
		q.Problem = *p
	}
	dataset.Settle(&q.Problem)
	if strings.TrimSpace(q.Question) == "" {
		return errors.New("the record has no question; --field question=NAME says where it is, --problems FILE supplies it")
	}
	for _, c := range q.Candidates {
		if err := dataset.CheckCandidate(c); err != nil {
			return err
		}
	}
	i, known := im.byID[q.ID] // none has an empty id
	if !known && (im.form.byText || q.ID == "") {
		i, known = im.byText[q.Question]
	}
	if !known {
		im.start(q)
		return nil
	}
	to := &im.questions[i]
	if to.Question != q.Question {
		return fmt.Errorf("id %q is another question in an earlier record; --field id= leaves ids out, --field id=NAME takes another field", q.ID)
	}
	if to.Answer != "" && q.Answer != "" && to.Answer != q.Answer {
		return fmt.Errorf("the reference answer of question %q is %q here and %q in an earlier record", to.ID, q.Answer, to.Answer)
	}
	to.Answer, to.Solution = cmp.Or(to.Answer, q.Answer), cmp.Or(to.Solution, q.Solution)
	to.Candidates = append(to.Candidates, q.Candidates...)
	return nil
}

// start begins a question; one without an id gets one that is free.
func (im *importer) start(q rcvae.Question) {
	madeUp := fmt.Sprintf("%s:line-%d", filepath.Base(im.path), im.line)
	for n := 2; q.ID == ""; n++ {
		if _, taken := im.byID[madeUp]; !taken {
			q.ID = madeUp
		}
		madeUp = fmt.Sprintf("%s:line-%d-%d", filepath.Base(im.path), im.line, n)
	}
	im.byID[q.ID] = len(im.questions)
	if _, ok := im.byText[q.Question]; !ok {
		im.byText[q.Question] = len(im.questions)
	}
	im.questions = append(im.questions, q)
}
