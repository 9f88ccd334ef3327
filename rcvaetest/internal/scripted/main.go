// Command scripted serves the scripted OpenAI-compatible server of rcvaetest, for tests
// of clients that are no Go programs. It prints its base URL and serves until it is
// ended.
//
//	scripted [vllm|ollama|llama.cpp|…]
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"rcvae/internal/openaiapi"
	"rcvae/rcvaetest"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "scripted: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	script := rcvaetest.Script{Reply: reply, Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.Question == "be slow" {
			return &rcvaetest.Fault{Silent: true}
		}
		return nil
	}}
	if len(args) > 0 {
		script.Server = rcvaetest.Server(args[0])
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/v1\n", listener.Addr())
	return http.Serve(listener, rcvaetest.NewOpenAI(script)) //nolint:gosec // a test's server, on the loopback
}

// reply calls the first tool that the request offers, edits a file for editors of
// programs, answers in JSON where it is asked for, and else in words of many scripts.
func reply(p rcvaetest.Prompt) rcvaetest.Reply {
	switch {
	case p.Body.Has("tools") && !strings.Contains(p.Question, "no tool"):
		return rcvaetest.Reply{ToolCalls: []openaiapi.ToolCall{
			{ID: "call_1", Type: "function", Function: openaiapi.Function{Name: "get_weather", Arguments: `{"city":"Zürich 🌧"}`}},
			{ID: "call_2", Type: "function", Function: openaiapi.Function{Name: "get_weather", Arguments: `{"city":"東京"}`}},
		}}
	case strings.Contains(string(p.Body.Bytes()), "SEARCH/REPLACE"):
		return rcvaetest.Reply{Text: "hello.py\n```python\n<<<<<<< SEARCH\nprint(\"hello\")\n=======\nprint(\"good bye\")\n>>>>>>> REPLACE\n```\n"}
	case p.Body.Has("response_format"):
		return rcvaetest.Reply{Text: `{"city": "Zürich", "rain": true}`}
	}
	r := rcvaetest.DefaultReply(p)
	r.Text = "Zürich 東京 👩‍👩‍👧: " + r.Text
	return r
}
