package gateway_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"rcvae/internal/openaiapi"
	"rcvae/rcvaetest"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestEveryMetricNamedElsewhereExists: in the dashboard, in the alerts and in the
// documentation, which names all of them.
func TestEveryMetricNamedElsewhereExists(t *testing.T) {
	s := start(t, func(*setup) {})
	s.post(chat, ask("q")).completion(t)
	metrics := string(s.get("/metrics").body)
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (rcvae_\w+) (\w+)$`).FindAllStringSubmatch(metrics, -1) {
		known[m[1]] = true
		if m[2] == "histogram" {
			for _, end := range []string{"_bucket", "_sum", "_count"} {
				known[m[1]+end] = true
			}
		}
	}
	names := regexp.MustCompile(`\brcvae_[a-z_]+\b`)
	for _, path := range []string{"../deploy/grafana.json", "../deploy/alerts.yaml", "../docs/gateway.md"} {
		found := names.FindAllString(read(t, path), -1)
		if len(found) < 10 {
			t.Errorf("%s names %d metrics: is it the right file?", path, len(found))
		}
		for _, name := range found {
			if !known[name] {
				t.Errorf("%s names %s, which the gateway does not have", path, name)
			}
		}
	}
	documented := names.FindAllString(read(t, "../docs/gateway.md"), -1)
	for name := range known {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if !slices.Contains(documented, base) && !slices.Contains(documented, name) {
			t.Errorf("docs/gateway.md does not name %s", name)
		}
	}
}

func TestDashboardAndAlertsAreWellFormed(t *testing.T) {
	var dashboard struct {
		Title  string
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../deploy/grafana.json")), &dashboard); err != nil || dashboard.Title == "" || len(dashboard.Panels) < 10 {
		t.Fatalf("dashboard %q with %d panels, %v", dashboard.Title, len(dashboard.Panels), err)
	}
	for _, p := range dashboard.Panels {
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %+v lacks a title, a description or an expression", p)
		}
		for _, target := range p.Targets {
			balanced(t, target.Expr)
		}
	}
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "../deploy/alerts.yaml")), &alerts); err != nil || len(alerts.Groups) == 0 {
		t.Fatalf("%d groups of alerts, %v", len(alerts.Groups), err)
	}
	for _, r := range alerts.Groups[0].Rules {
		if r.Alert == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
			t.Errorf("the alert %+v is not complete", r)
		}
		balanced(t, r.Expr)
	}
}

// balanced checks the brackets of an expression.
func balanced(t *testing.T, expr string) {
	t.Helper()
	var open []rune
	closing := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, c := range expr {
		switch c {
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != closing[c] {
				t.Errorf("%s: a bracket too many", expr)
				return
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 || expr == "" {
		t.Errorf("%q: a bracket is open, or nothing is there", expr)
	}
}

func TestSystemdUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze here")
	}
	unit := filepath.Join(t.TempDir(), "rcvae.service")
	text := strings.Replace(read(t, "../deploy/rcvae.service"), "/usr/local/bin/rcvae", "/bin/true", 1) // which is there
	if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// schema is a part of docs/openapi.yaml.
type schema = map[string]any

// conforms checks a value against a schema, as far as the file uses its words.
func conforms(all, s schema, value any, at string) (wrong []string) {
	if ref, ok := s["$ref"].(string); ok {
		target := any(all)
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			fields, _ := target.(schema)
			target = fields[name]
		}
		found, ok := target.(schema)
		if !ok {
			return []string{at + ": there is no " + ref}
		}
		return conforms(all, found, value, at)
	}
	if kinds := listOf(s["type"]); len(kinds) > 0 && !slices.ContainsFunc(kinds, func(kind string) bool { return isKind(kind, value) }) {
		return []string{fmt.Sprintf("%s is %T, want %v", at, value, kinds)}
	}
	if enum := listOf(s["enum"]); len(enum) > 0 && !slices.Contains(enum, fmt.Sprint(value)) {
		wrong = append(wrong, fmt.Sprintf("%s is %v, want one of %v", at, value, enum))
	}
	switch v := value.(type) {
	case map[string]any:
		properties, _ := s["properties"].(schema)
		for _, name := range listOf(s["required"]) {
			if _, ok := v[name]; !ok {
				wrong = append(wrong, at+" has no "+name)
			}
		}
		for name, member := range v {
			if property, ok := properties[name].(schema); ok {
				wrong = append(wrong, conforms(all, property, member, at+"."+name)...)
			} else if s["additionalProperties"] == false {
				wrong = append(wrong, at+" has "+name+", which the file does not know")
			}
		}
	case []any:
		if items, ok := s["items"].(schema); ok {
			for i, item := range v {
				wrong = append(wrong, conforms(all, items, item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
	}
	return wrong
}

func listOf(value any) (list []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, x := range v {
			list = append(list, fmt.Sprint(x))
		}
	}
	return list
}

func isKind(kind string, value any) bool {
	switch v := value.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	case []any:
		return kind == "array"
	}
	return kind == "object"
}

// TestAnswersConformToOpenAPI asks for every kind of answer.
func TestAnswersConformToOpenAPI(t *testing.T) {
	var file schema
	if err := yaml.Unmarshal([]byte(read(t, "../docs/openapi.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	check := func(name, ref string, raw []byte) {
		t.Helper()
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatalf("%s: %v: %s", name, err, raw)
		}
		for _, w := range conforms(file, schema{"$ref": "#/components/schemas/" + ref}, value, name) {
			t.Error(w)
		}
	}
	s := start(t, func(s *setup) {
		s.script.Server = rcvaetest.Ollama
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if string(seed(c)) == "2" {
				return &rcvaetest.Fault{Status: 500}
			}
			return nil
		}
	})
	for name, fields := range map[string]string{
		"plain": `"n":1`, "candidates": `"rcvae":{"k":4,"return_candidates":true}`, "explained": `"rcvae":{"k":4,"explain":true}`, "n": `"n":3`, "greedy": `"temperature":0`,
		"adaptive": `"rcvae":{"k_min":2,"k_max":4}`, "partial": `"seed":0`, "fallback": `"rcvae":{"selector":"scripted"}`,
	} {
		check(name, "ChatCompletion", s.post(chat, ask("q "+name, fields)).body)
	}
	check("text", "TextCompletion", s.post("/v1/completions", `{"model":"m","prompt":"q"}`).body)
	check("texts", "TextCompletion", s.post("/v1/completions", `{"model":"m","prompt":["a","b"]}`).body)
	check("models", "Models", s.get("/v1/models").body)
	for _, e := range events(t, s.post(chat, ask("q", `"stream":true`, `"stream_options":{"include_usage":true}`)).body) {
		if string(e.Data) != openaiapi.Done {
			check("chunk", "ChatChunk", e.Data)
		}
	}
	check("404", "Error", s.get("/v1/moderations").body)
	check("400", "Error", s.post(chat, "{").body)
	check("415", "Error", s.from(http.MethodPost, "Content-Type", "text/plain").body)
	paths, _ := file["paths"].(schema)
	for path := range paths {
		if got := s.get(path); got.status == http.StatusNotFound {
			t.Errorf("the file has %s, the gateway has not", path)
		}
	}
	if wrong := conforms(file, schema{"$ref": "#/components/schemas/Block"}, map[string]any{"k": 1.5, "foreign": true}, "x"); len(wrong) < 3 {
		t.Errorf("a bad block has the faults %v: the check does not check", wrong)
	}
}
