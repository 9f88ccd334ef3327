package foreign

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"rcvae"
	"rcvae/dataset"
)

// lmEvalForm is samples_TASK_DATE.jsonl of lm-evaluation-harness with --log_samples: a
// line per document and filter, with the document, its responses and the metrics.
var lmEvalForm = form{
	name:    "lm-eval",
	records: dataset.Records,
	read:    readLMEval,
	names: map[string][]string{
		"id":         {"doc.id", "doc.unique_id", "doc_id"},
		"question":   {"doc.question", "doc.problem", "doc.Question", "doc.Problem", "doc.query", "doc.input", "doc.prompt", "arguments.gen_args_0.arg_0", "arguments.0.0", "arguments.0"},
		"solution":   {"doc.solution"},
		"answer":     {"target", "doc.answer"},
		"subject":    {"doc.subject", "doc.type"},
		"level":      {"doc.level"},
		"candidates": {"resps"},
	},
}

// taskOf finds the task in the name of a file: ids of documents count from 0 in each.
var taskOf = regexp.MustCompile(`^samples_(.+)_\d{4}-\d\d-\d\d`)

func readLMEval(im *importer, o *object) (sample, error) {
	filter := textOf(o.at("filter"))
	if first, ok := im.filter[im.path]; !ok {
		im.filter[im.path] = filter
	} else if first != filter {
		im.note(fmt.Sprintf("%s: the verdicts are those of the filter %s; the lines of %s repeat its responses and are left out", im.path, first, filter))
		return sample{skip: true}, nil
	}
	q, err := o.question()
	if err != nil {
		return sample{}, err
	}
	document := q.ID
	if task := taskOf.FindStringSubmatch(filepath.Base(im.path)); task != nil && q.ID == textOf(o.at("doc_id")) {
		q.ID = task[1] + "-" + q.ID
	}
	q.Question = promptOf(q.Question) + choicesOf(listOf(o.at("doc.options")))
	metrics, _ := o.at("metrics").([]any)
	if len(q.Candidates) == 1 && q.Candidates[0].Verdict == rcvae.Ungraded { // of several, the metrics are aggregates
		for _, name := range append(metrics, "exact_match", "acc") {
			if v := verdictOf(o.at(textOf(name))); v != rcvae.Ungraded {
				q.Candidates[0].Verdict = v
				break
			}
		}
	}
	return sample{Question: q, once: "document " + document}, nil
}

// promptOf returns the last message of the user where a prompt is a conversation in
// JSON.
func promptOf(prompt string) string {
	var messages []any
	if strings.HasPrefix(prompt, `[{"role"`) && json.Unmarshal([]byte(prompt), &messages) == nil {
		return textOf(messages)
	}
	return prompt
}

// note adds a sentence to the report, once.
func (im *importer) note(text string) {
	for _, old := range im.report.Notes {
		if old == text {
			return
		}
	}
	im.report.Notes = append(im.report.Notes, text)
}
