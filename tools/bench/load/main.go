// Command load measures what a gateway adds to its upstream. It plays both ends:
//
//	load upstream --listen ADDRESS     an OpenAI-compatible server that answers at once
//	load run --url URL                 clients; prints one line of JSON with what they saw
//
// It serves tools/bench/gateway.py and is no part of the product.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "load: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("want 'upstream' or 'run'")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8091", "address of the upstream")
	c := clients{}
	flags.StringVar(&c.url, "url", "http://127.0.0.1:8091/v1", "base URL to ask")
	flags.StringVar(&c.extra, "extra", "", "members of the request's JSON, with a comma in front")
	flags.StringVar(&c.model, "model", "scripted", "the model's name")
	flags.IntVar(&c.connections, "connections", 64, "connections, each with one request at a time")
	flags.Float64Var(&c.rate, "rate", 0, "requests a second, all connections together; 0: as many as go")
	flags.DurationVar(&c.duration, "duration", 5*time.Second, "of the measurement")
	flags.DurationVar(&c.warm, "warm", time.Second, "before the measurement")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "upstream":
		server := http.Server{Addr: *listen, Handler: upstream(), ReadHeaderTimeout: 10 * time.Second}
		return server.ListenAndServe()
	case "run":
		return json.NewEncoder(os.Stdout).Encode(c.run())
	}
	return fmt.Errorf("unknown command %q, want 'upstream' or 'run'", args[0])
}
