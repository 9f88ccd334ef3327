package foreign

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"rcvae"
	"rcvae/dataset"
)

// Fields returns the fields of a pool that [Options].Fields can map. "candidates" are
// the texts of all candidates, "text" is that of one; the fields behind it hold one
// value for each candidate, or one for all.
func Fields() []string {
	return []string{"id", "question", "solution", "answer", "subject", "level", "candidates", "text", "correct", "model", "sampler", "finish", "n_tokens"}
}

// question reads what the table of names says of a record.
func (o *object) question() (q rcvae.Question, err error) {
	level, _ := strconv.Atoi(strings.TrimPrefix(o.text("level"), "Level "))
	q.Problem = rcvae.Problem{
		ID: o.text("id"), Question: o.text("question"), Solution: o.text("solution"), Answer: strings.TrimSpace(o.text("answer")),
		Subject: o.text("subject"), Level: max(0, level),
	}
	dataset.Settle(&q.Problem)
	value := o.get("candidates")
	if value == nil {
		value = o.get("text")
	}
	if q.Candidates, err = o.candidatesOf(value, 0); err != nil {
		return q, err
	}
	if len(q.Candidates) == 0 {
		return q, fmt.Errorf("the record has no candidates; its fields are %s; --field candidates=NAME (a list) or --field text=NAME (one text) says where they are", fieldsOf(o.tree))
	}
	return q, o.perCandidate(q.Candidates)
}

// candidatesOf reads texts, or objects with a text, in lists of any depth.
func (o *object) candidatesOf(value any, depth int) (list []rcvae.Candidate, err error) {
	switch v := value.(type) {
	case nil:
		if depth > 0 { // a sample that failed keeps its place
			list = append(list, rcvae.Candidate{})
		}
	case string:
		list = append(list, rcvae.Candidate{Text: v})
	case map[string]any:
		c, err := o.candidateOf(v)
		return append(list, c), err
	case []any:
		for _, element := range v {
			more, err := o.candidatesOf(element, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
	default:
		return nil, fmt.Errorf("a candidate is %v instead of a text; only generated texts can be imported, log-likelihoods of given answers cannot", v)
	}
	return list, nil
}

// candidateOf reads a candidate that is an object: a message, or a choice of a server.
func (o *object) candidateOf(m map[string]any) (rcvae.Candidate, error) {
	inner := object{tree: m, names: o.inner, used: map[string]bool{}}
	value := inner.get("text")
	if value == nil {
		value = at(m, "message.content")
	}
	if value == nil && m["message"] == nil {
		return rcvae.Candidate{}, fmt.Errorf("a candidate is an object without a text; its fields are %s; --field candidates=NAME names another list", fieldsOf(m))
	}
	one := []rcvae.Candidate{{Text: textOf(value)}}
	err := inner.perCandidate(one)
	return one[0], err
}

// setters take the fields that have a value for each candidate, or one for all.
var setters = map[string]func(c *rcvae.Candidate, value any){
	"correct": func(c *rcvae.Candidate, value any) { c.Verdict = verdictOf(value) },
	"model":   func(c *rcvae.Candidate, value any) { c.Model = textOf(value) },
	"sampler": func(c *rcvae.Candidate, value any) { c.Sampler = textOf(value) },
	"finish":  func(c *rcvae.Candidate, value any) { c.Finish = finishOf(textOf(value)) },
	"n_tokens": func(c *rcvae.Candidate, value any) {
		if n, err := strconv.ParseUint(textOf(value), 10, 31); err == nil {
			c.Tokens = int(n)
		}
	},
}

// perCandidate sets what the record says of each candidate.
func (o *object) perCandidate(candidates []rcvae.Candidate) error {
	for _, field := range Fields() {
		value := o.get(field)
		list, isList := value.([]any)
		switch {
		case setters[field] == nil, value == nil, !isList && len(candidates) > 1 && field != "model" && field != "sampler":
			continue // one verdict or one count for many candidates says nothing of each
		case isList && len(list) != len(candidates):
			return fmt.Errorf("there are %d candidates and %d values of %q; --field %s= leaves them out", len(candidates), len(list), field, field)
		case field == "correct" && isList && !allVerdicts(list):
			continue // scores of another kind
		}
		for i := range candidates {
			if isList {
				value = list[i]
			}
			setters[field](&candidates[i], value)
		}
	}
	return nil
}

func allVerdicts(list []any) bool {
	for _, value := range list {
		if value != nil && verdictOf(value) == rcvae.Ungraded {
			return false
		}
	}
	return true
}

// verdictOf reads true, 1, "C" and the like; a number between 0 and 1 is no verdict.
func verdictOf(value any) rcvae.Verdict {
	text := strings.ToLower(textOf(value))
	if number, ok := value.(json.Number); ok {
		if x, err := number.Float64(); err == nil {
			text = strconv.FormatFloat(x, 'g', -1, 64)
		}
	}
	switch text {
	case "true", "1", "c", "correct":
		return rcvae.Correct
	case "false", "0", "i", "n", "incorrect", "wrong":
		return rcvae.Incorrect
	}
	return rcvae.Ungraded
}

// finishOf names the end of a text as pools do.
func finishOf(reason string) string {
	switch reason {
	case "max_tokens", "model_length", "FinishReason.LENGTH":
		return "length"
	case "eos", "end_turn", "stop_sequence", "eos_token":
		return "stop"
	}
	return reason
}
