package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rcvae/rcvaetest"
)

func TestSampleUsage(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{}, "pool.jsonl")
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no problems":     {[]string{"sample", "--out", "x", "--upstream", s.url, "--llm", "m"}, "--problems"},
		"no output":       {[]string{"sample", "--problems", s.problems, "--upstream", s.url, "--llm", "m"}, "--out"},
		"no upstream":     {[]string{"sample", "--problems", s.problems, "--out", "x", "--llm", "m"}, "--upstream"},
		"no model":        {[]string{"sample", "--problems", s.problems, "--out", "x", "--upstream", s.url}, "--llm"},
		"not a URL":       {s.args("--upstream", "localhost"), "http://"},
		"k of 0":          {s.args("-k", "0"), "-k"},
		"no mark":         {s.args("--template", "solve it"), "{question}"},
		"no template":     {s.args("--template", "@nowhere"), "nowhere"},
		"bad grader":      {s.args("--grader", "aime"), "aime"},
		"bad temperature": {s.args("--temperature", "-1"), "temperature"},
		"bad concurrency": {s.args("--concurrency", "0"), "concurrency"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rcvaeRun(t, "", tt.args...); got.code != exitUsage || !strings.Contains(got.stderr, tt.want) {
				t.Errorf("exit code %d, error %q, want 2 and %q", got.code, got.stderr, tt.want)
			}
		})
	}
}

func TestSelectDrawsFromAnUpstream(t *testing.T) {
	const question = "What is 4 + 5?"
	reply := func(p rcvaetest.Prompt) rcvaetest.Reply {
		answer := map[bool]int{true: 9, false: 8}[seedOf(p)%3 != 0]
		return rcvaetest.Reply{Text: fmt.Sprintf("%s, seed %d: the answer is %d.", rcvaetest.Marker(p.Question), seedOf(p), answer)}
	}
	for _, server := range []rcvaetest.Server{rcvaetest.Ollama, rcvaetest.LlamaCppOld} {
		_, url := rcvaetest.StartOpenAI(t, rcvaetest.Script{Server: server, Reply: reply})
		args := []string{"select", "--upstream", url, "--llm", "m", "-k", "7", "--selector", "majority", "--question", question}
		got := rcvaeRun(t, "", append(args, "--json")...)
		var chosen choice
		if err := json.Unmarshal([]byte(got.stdout), &chosen); err != nil {
			t.Fatalf("exit code %d: %v\n%s", got.code, err, got.stderr)
		}
		if want := []string{"9", "9", "8", "9", "9", "8", "9"}; chosen.Answer != "9" || !slices.Equal(chosen.Answers, want) {
			t.Errorf("chose %q of %v, want 9 of %v", chosen.Answer, chosen.Answers, want)
		}
		if got := rcvaeRun(t, "", args...); got.code != exitOK || !strings.Contains(got.stdout, rcvaetest.Marker(question)) {
			t.Errorf("exit code %d, output %q\n%s", got.code, got.stdout, got.stderr)
		}
		both := rcvaeRun(t, "", append(args, "--candidates", "-")...)
		if both.code != exitUsage || !strings.Contains(both.stderr, "not both") {
			t.Errorf("with --candidates: exit code %d, error %q", both.code, both.stderr)
		}
	}
	faulty := rcvaetest.Script{Server: rcvaetest.Ollama, Reply: reply, Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.Number == 2 {
			return &rcvaetest.Fault{Status: http.StatusBadRequest, Message: "the second fails"}
		}
		return nil
	}}
	_, url := rcvaetest.StartOpenAI(t, faulty)
	part := rcvaeRun(t, "", "select", "--upstream", url, "--llm", "m", "-k", "7", "--selector", "majority", "--question", question)
	if part.code != exitOK || !strings.Contains(part.stderr, "6 of 7 candidates came back") || !strings.Contains(part.stderr, "the second fails") {
		t.Errorf("exit code %d, error %q, want a choice among six and the cause", part.code, part.stderr)
	}
	got := rcvaeRun(t, "", "select", "--upstream", "http://127.0.0.1:1", "--llm", "m", "--selector", "majority", "--question", question, "--retries", "0")
	if got.code != exitFailure || !strings.Contains(got.stderr, "127.0.0.1:1") {
		t.Errorf("without a server: exit code %d, error %q, want 1 and its address", got.code, got.stderr)
	}
}

// TestSelectShowsWhatWasDrawn even if the rule has no choice: it was paid for.
func TestSelectShowsWhatWasDrawn(t *testing.T) {
	_, url := rcvaetest.StartOpenAI(t, rcvaetest.Script{Reply: func(p rcvaetest.Prompt) rcvaetest.Reply {
		return rcvaetest.Reply{Text: fmt.Sprintf("<think>It is %d.</think>The answer is 9.", p.Choice)}
	}})
	args := []string{"select", "--upstream", url, "--llm", "m", "-k", "3", "--question", "What is 4 + 5?", "--json", "--model", "none"}
	got := rcvaeRun(t, "", append(args, "--selector", "logprob", "--logprobs=false")...)
	var chosen choice
	if err := json.Unmarshal([]byte(got.stdout), &chosen); err != nil || chosen.Index != 0 || len(chosen.Warnings) != 1 || !strings.Contains(chosen.Warnings[0], "nothing was selected") {
		t.Errorf("exit code %d, %q, %v\n%s, want the first candidate and a warning", got.code, got.stdout, err, got.stderr)
	}
	if want := []string{"9", "9", "9"}; !slices.Equal(chosen.Answers, want) || len(chosen.Scores) != 3 || chosen.Scores[0] != nil {
		t.Errorf("answers %q and scores %v, want %q, none of them a thought, and no scores", chosen.Answers, chosen.Scores, want)
	}
}
