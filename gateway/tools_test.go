package gateway_test

import (
	"slices"
	"testing"

	"rcvae/internal/openaiapi"
	"rcvae/rcvaetest"
)

// callTo is a reply that calls a tool.
func callTo(name, arguments string) rcvaetest.Reply {
	return rcvaetest.Reply{ToolCalls: []openaiapi.ToolCall{{ID: "call_" + name, Type: "function", Function: openaiapi.Function{Name: name, Arguments: openaiapi.Arguments(arguments)}}}}
}

func replies(list ...rcvaetest.Reply) func(rcvaetest.Prompt) rcvaetest.Reply {
	return func(p rcvaetest.Prompt) rcvaetest.Reply { return list[p.Choice%len(list)] }
}

func text(s string) rcvaetest.Reply { return rcvaetest.Reply{Text: s} }

func TestToolCallsAreVotedFor(t *testing.T) {
	for name, test := range map[string]struct {
		list     []rcvaetest.Reply
		chosen   int
		selector string
	}{
		"equal arguments in another order": {[]rcvaetest.Reply{callTo("f", `{"a":1}`), callTo("f", `{"a":2, "b":3}`), callTo("g", `{}`), callTo("f", `{"b":3,"a":2}`)}, 1, "majority of tool calls"},
		"the tool's name counts":           {[]rcvaetest.Reply{callTo("f", `{}`), callTo("g", `{}`), callTo("g", `{}`), callTo("h", `{}`)}, 1, "majority of tool calls"},
		"a tie goes to the earlier":        {[]rcvaetest.Reply{callTo("f", `1`), callTo("g", `2`), callTo("h", `3`), callTo("i", `4`)}, 0, "majority of tool calls"},
		"most call tools":                  {[]rcvaetest.Reply{text("so 1"), callTo("f", `{}`), text("so 1"), callTo("f", `{}`), callTo("f", `{}`)}, 1, "majority of tool calls"},
		"most are text":                    {[]rcvaetest.Reply{callTo("f", `{}`), text("so 1"), text("so 2"), text("so 2")}, 2, "majority"},
		"as many of both: text first":      {[]rcvaetest.Reply{text("so 1"), callTo("f", `{}`), callTo("f", `{}`), text("so 1")}, 0, "majority"},
		"large integers are not merged":    {[]rcvaetest.Reply{callTo("f", `9007199254740992`), callTo("f", `9007199254740993`), callTo("f", `9007199254740993`)}, 1, "majority of tool calls"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(s *setup) { s.script.Reply, s.config.K = replies(test.list...), len(test.list) })
			c := s.post(chat, ask("q", `"tools":[{"type":"function","function":{"name":"f"}}]`)).completion(t)
			if c.Block.Chosen != test.chosen || c.Block.Selector != test.selector {
				t.Errorf("chosen %d by %s, want %d by %s", c.Block.Chosen, c.Block.Selector, test.chosen, test.selector)
			}
			want := test.list[test.chosen].ToolCalls
			if got := c.Choices[0].Message.ToolCalls; !slices.EqualFunc(got, want, func(a, b openaiapi.ToolCall) bool { return a.ID == b.ID && a.Does() == b.Does() }) {
				t.Errorf("tool calls %+v, want %+v", got, want)
			}
		})
	}
}

func TestToolCallsAreStreamed(t *testing.T) {
	call := callTo("f", `{"a": "ü"}`)
	call.ToolCalls = append(call.ToolCalls, callTo("g", `{}`).ToolCalls...)
	s := start(t, func(s *setup) { s.script.Reply = replies(call) })
	var names []string
	finish := ""
	for _, c := range chunks(t, s.post(chat, ask("q", `"stream":true`))) {
		for i, call := range c.Choices[0].Delta.ToolCalls {
			if call.Index != i {
				t.Errorf("tool call %d has index %d", i, call.Index)
			}
			names = append(names, call.Function.Name+string(call.Function.Arguments))
		}
		if c.Choices[0].Finish != nil {
			finish = *c.Choices[0].Finish
		}
	}
	if want := []string{`f{"a": "ü"}`, "g{}"}; !slices.Equal(names, want) || finish != "tool_calls" {
		t.Errorf("streamed calls %v, finish %q, want %v, tool_calls", names, finish, want)
	}
}
