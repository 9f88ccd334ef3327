package foreign

import (
	"errors"
	"fmt"

	"rcvae/dataset"
)

// batchForm is the output of OpenAI's Batch API, and of the servers that copy it: a line
// per request. What was asked stands in the file of requests, which is given beside it
// and is found by its lines, which have no "response".
var batchForm = form{
	name:    "openai-batch",
	byText:  true,
	records: dataset.Records,
	prepare: readRequests,
	read:    readBatch,
	names: map[string][]string{
		"id":         {"custom_id"},
		"candidates": {"response.body.choices", "response.body.output"},
		"model":      {"response.body.model"},
	},
}

// readRequests keeps the prompts of all requests in the files.
func readRequests(im *importer, paths []string) error {
	for _, path := range paths {
		for record, err := range dataset.Records(path) {
			if err != nil {
				if _, ok := errors.AsType[*dataset.LineError](err); ok && im.SkipBad {
					continue // counted when the file is read again
				}
				return err
			}
			o, err := im.parse(record.JSON)
			if err != nil || o.at("body") == nil {
				continue
			}
			for _, name := range []string{"body.messages", "body.prompt", "body.input"} {
				if prompt := textOf(o.at(name)); prompt != "" {
					im.requests[textOf(o.at("custom_id"))] = prompt
				}
			}
		}
	}
	return nil
}

func readBatch(im *importer, o *object) (sample, error) {
	id := textOf(o.at("custom_id"))
	if o.at("response") == nil && o.at("body") != nil {
		return sample{skip: true}, nil
	}
	if status := textOf(o.at("response.status_code")); o.at("error") != nil || status != "" && status != "200" {
		return sample{}, fmt.Errorf("request %q failed with status %s: %.200s%.200s", id, status, textOf(at(o.tree, "error.message")), textOf(at(o.tree, "response.body.error.message")))
	}
	if output := listOf(o.at("response.body.output")); output != nil {
		keepMessages(o, output)
	}
	q, err := o.question()
	if err != nil {
		return sample{}, err
	}
	if q.Question == "" {
		q.Question = im.requests[id]
	}
	if q.Question == "" && im.problem(q) == nil {
		return sample{}, fmt.Errorf("request %q is not in the files; give the file of requests beside that of results, or --problems FILE with the ids of the requests", id)
	}
	if len(q.Candidates) == 1 {
		for _, name := range []string{"response.body.usage.completion_tokens", "response.body.usage.output_tokens"} {
			var n int
			if _, err := fmt.Sscan(textOf(o.at(name)), &n); err == nil && n > 0 {
				q.Candidates[0].Tokens = n
			}
		}
	}
	return sample{Question: q, once: fmt.Sprintf("the result of request %q", id)}, nil
}

// keepMessages leaves of the output of /v1/responses what is a message: tool calls and
// reasoning stand beside it.
func keepMessages(o *object, output []any) {
	var messages []any
	for _, item := range output {
		if at(item, "type") == "message" {
			messages = append(messages, item)
		}
	}
	o.tree["response"].(map[string]any)["body"].(map[string]any)["output"] = messages
}
