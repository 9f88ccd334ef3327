package foreign

import (
	"maps"
	"slices"
	"strings"

	"rcvae/dataset"
)

// completionsForm is a dump of completions: k of them beside each question, or one per
// record, under the names that are in use. Lines of one question are joined by its text.
var completionsForm = form{
	name:    "completions",
	byText:  true,
	records: dataset.Records,
	read:    readCompletions,
	names:   completionNames,
}

// completionNames are the names that dumps use for the fields of a pool, most certain
// first.
var completionNames = map[string][]string{
	"id":         {"id", "unique_id", "question_id", "problem_id", "task_id", "idx", "index"},
	"question":   {"question", "problem", "Question", "Problem", "prompt", "query", "input", "instruction", "messages"},
	"solution":   {"solution", "reference_solution", "gt_cot", "gold_solution"},
	"answer":     {"answer", "target", "gt_answer", "final_answer", "gold", "gt", "ground_truth", "expected_answer", "reference_answer", "Answer", "reward_model.ground_truth"},
	"subject":    {"subject", "type"},
	"level":      {"level"},
	"candidates": {"candidates", "completions", "samples", "outputs", "responses", "generations", "resps", "choices", "predictions", "code"},
	"text":       {"completion", "response", "output", "generation", "generated_text", "model_output", "sample", "text", "content", "prediction"},
	"correct":    {"correct", "is_correct", "is_corrects", "correctness_math_verify", "correctness", "score"},
	"model":      {"model", "model_name"},
	"sampler":    {"sampler"},
	"finish":     {"finish_reasons", "finish_reason", "finish", "stop_reason"},
	"n_tokens":   {"n_tokens", "completion_tokens", "num_tokens"},
}

func readCompletions(_ *importer, o *object) (sample, error) {
	q, err := o.question()
	return sample{Question: q}, err
}

// fieldsOf names the fields of an object.
func fieldsOf(tree map[string]any) string {
	return strings.Join(slices.Sorted(maps.Keys(tree)), ", ")
}
