package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/pflag"
)

// TestServeHelp: every flag stands in a group, in a sentence, and those that one needs
// come first.
func TestServeHelp(t *testing.T) {
	got := rcvaeRun(t, "", "serve", "--help")
	if got.code != exitOK {
		t.Fatalf("exit code %d: %s", got.code, got.stderr)
	}
	_, flags, _ := strings.Cut(got.stdout, "First of all:")
	cmd := newServe()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		if strings.Count(flags, "--"+f.Name+" ") < 1 {
			t.Errorf("--%s is not in the help", f.Name)
		}
	})
	first, _, _ := strings.Cut(flags, ":\n")
	for _, name := range []string{"--upstream", "--listen", "--k "} {
		if !strings.Contains(first, name) && !strings.Contains(flags[:1500], name) {
			t.Errorf("%s is not among the first", name)
		}
	}
}

func TestServeSaysWhatToDo(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no scheme":       {[]string{"--upstream", "127.0.0.1:8080"}, "write http://127.0.0.1:8080"},
		"a whole path":    {[]string{"--upstream", "http://h/v1/chat/completions"}, "want http://h/v1"},
		"oracle":          {[]string{"--upstream", "http://h", "--selector", "oracle"}, "eval only"},
		"half adaptive":   {[]string{"--upstream", "http://h", "--k-min", "4"}, "adaptive k needs both"},
		"a bad header":    {[]string{"--upstream", "http://h", "--pass-header", "Cookie"}, "must not pass"},
		"half of TLS":     {[]string{"--upstream", "http://h", "--tls-key", "k.pem"}, "certificate"},
		"a bad level":     {[]string{"--upstream", "http://h", "--log-level", "loud"}, "debug, info"},
		"no upstream":     {nil, "--upstream is missing"},
		"little memory":   {[]string{"--upstream", "http://h", "--max-memory", "5"}, "max-memory"},
		"a user in a URL": {[]string{"--upstream", "http://u:secret@h"}, "RCVAE_UPSTREAM_KEY"},
	} {
		got := rcvaeRun(t, "", append([]string{"serve", "--model", "none"}, tt.args...)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, tt.want) || strings.Contains(got.stderr, "secret") {
			t.Errorf("%s: exit code %d, error %q, want 2 and %q", name, got.code, got.stderr, tt.want)
		}
		if name == "half adaptive" && strings.Count(got.stderr, "k-min") > 1 {
			t.Errorf("one fault is told twice: %q", got.stderr)
		}
	}
}

func TestServeCheck(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "0.0.0.0", ""} {
		if got := rcvaeRun(t, "", "serve", "--check", "--listen", host+":"+port); got.code != exitOK {
			t.Errorf("%q: exit code %d: %s", host, got.code, got.stderr)
		}
	}
	status = http.StatusServiceUnavailable
	if got := rcvaeRun(t, "", "serve", "--check", "--listen", "127.0.0.1:"+port); got.code != exitFailure {
		t.Errorf("a sick gateway: exit code %d", got.code)
	}
	if got := rcvaeRun(t, "", "serve", "--check", "--listen", "127.0.0.1:1"); got.code != exitFailure {
		t.Errorf("no gateway: exit code %d", got.code)
	}
}

func TestASecondSignalStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	signals, served, stopped := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	go stopOnSecond(ctx, signals, served, func() { close(stopped) })
	signals <- syscall.SIGINT // before the first it waits in its channel
	select {
	case <-stopped:
		t.Fatal("one signal stopped the drain")
	default:
	}
	cancel()
	<-stopped
	done := make(chan struct{})
	go func() {
		stopOnSecond(t.Context(), make(chan os.Signal, 1), served, func() { t.Error("stopped without a signal") })
		close(done)
	}()
	close(served)
	<-done
}

// TestFlagsNamedElsewhereExist: in the documentation of the gateway and in what deploys it.
func TestFlagsNamedElsewhereExist(t *testing.T) {
	foreign := map[string]bool{"from": true, "interval": true, "timeout": true, "start-period": true, "help": true} // Docker's, and cobra's
	flags := newServe().Flags()
	root := newRoot().PersistentFlags()
	for path, least := range map[string]int{"../../docs/gateway.md": 30, "../../deploy/Dockerfile": 3, "../../deploy/rcvae.service": 2, "../../deploy/alerts.yaml": 2} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`(?:^|[\s"'(\x60])--([a-z][a-z-]+)`).FindAllStringSubmatch(string(data), -1)
		if len(names) < least {
			t.Errorf("%s names %d flags, want at least %d: is it the right file?", path, len(names), least)
		}
		for _, m := range names {
			if flags.Lookup(m[1]) == nil && root.Lookup(m[1]) == nil && !foreign[m[1]] {
				t.Errorf("%s names --%s, which serve does not have", path, m[1])
			}
		}
	}
	docker, err := os.ReadFile("../../deploy/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"FROM scratch", "CGO_ENABLED=0", "USER 65532", `"serve", "--check"`} {
		if !strings.Contains(string(docker), part) {
			t.Errorf("the Dockerfile lacks %q", part)
		}
	}
}
