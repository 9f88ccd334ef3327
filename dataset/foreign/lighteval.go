package foreign

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rcvae"
	"rcvae/dataset"
)

// lightevalForm is details_TASK_DATE.parquet of lighteval: a row per document, with
// columns "doc", "model_response" and "metric", or, before version 0.10, "example",
// "predictions", "gold" and "metrics", which may be texts of Python's values.
var lightevalForm = form{
	name:    "lighteval",
	records: dataset.Records,
	read:    readLighteval,
	names: map[string][]string{
		"id":         {"doc.id"},
		"question":   {"doc.original_query", "doc.specific.question", "doc.query", "example", "full_prompt"},
		"candidates": {"model_response.text", "predictions"},
	},
}

func readLighteval(_ *importer, o *object) (sample, error) {
	for _, name := range []string{"predictions", "gold", "metrics"} {
		if text, ok := o.tree[name].(string); ok {
			if literal, err := pythonLiteral(text); err == nil {
				o.tree[name] = literal
			}
		}
	}
	q, err := o.question()
	if err != nil {
		return sample{}, err
	}
	q.Question = withoutFrame(q.Question)
	if task := textOf(o.at("doc.task_name")); task != "" && q.ID != "" {
		q.ID = task + "-" + q.ID
	}
	if _, mapped := o.names["answer"]; !mapped {
		q.Answer = goldOf(o)
	}
	for i, tokens := range listOf(o.at("model_response.output_tokens")) {
		if i < len(q.Candidates) {
			q.Candidates[i].Tokens = len(listOf(tokens))
		}
	}
	metrics, _ := o.at("metric").(map[string]any)
	if metrics == nil {
		metrics, _ = o.at("metrics").(map[string]any)
	}
	if len(q.Candidates) == 1 && q.Candidates[0].Verdict == rcvae.Ungraded {
		q.Candidates[0].Verdict = metricVerdict(metrics)
	}
	return sample{Question: q}, nil
}

// withoutFrame returns the question of a prompt of the form "Question: …\nAnswer:", which
// stands for the question where a task keeps no other.
func withoutFrame(prompt string) string {
	inner, begins := strings.CutPrefix(prompt, "Question: ")
	inner, ends := strings.CutSuffix(inner, "\nAnswer:")
	if !begins || !ends || strings.Contains(inner, "\nAnswer:") {
		return prompt
	}
	return inner
}

// goldOf returns the choice that is right, or the first gold answer.
func goldOf(o *object) string {
	index := o.at("doc.gold_index")
	if list, ok := index.([]any); ok && len(list) > 0 {
		index = list[0]
	}
	choices := listOf(o.at("doc.choices"))
	if i, err := strconv.Atoi(textOf(index)); err == nil && i >= 0 && i < len(choices) {
		return strings.TrimSpace(textOf(choices[i]))
	}
	return strings.TrimSpace(textOf(o.at("gold")))
}

func listOf(value any) []any {
	list, _ := value.([]any)
	return list
}

// metricVerdict returns the verdict of the first metric, by name, that is one: 0 or 1.
// Votes over several responses do not count.
func metricVerdict(metrics map[string]any) rcvae.Verdict {
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		if _, ok := metrics[name].(json.Number); ok && !strings.HasPrefix(name, "maj") {
			if v := verdictOf(metrics[name]); v != rcvae.Ungraded {
				return v
			}
		}
	}
	return rcvae.Ungraded
}
