package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/dataset/foreign"
)

const foreignData = "../../dataset/foreign/testdata/"

// foreignFiles are the fixtures of package foreign: the same questions and candidates as
// each tool writes them.
var foreignFiles = map[string][]string{
	"lm-eval":      {"samples_demo_2026-01-02T03-04-05.678901.jsonl"},
	"lighteval":    {"details_demo_2026-01-02T03-04-05.678901.parquet"},
	"inspect":      {"2026-01-02T03-04-05+00-00_demo_dPiJifoWeEQBrfWsAopzWr.eval"},
	"openai-batch": {"batch-requests.jsonl", "batch-results.jsonl"},
	"completions":  {"completions.jsonl"},
}

// ok runs a command that must succeed.
func ok(t *testing.T, args ...string) result {
	t.Helper()
	got := rcvaeRun(t, "", args...)
	if got.code != exitOK {
		t.Fatalf("rcvae %s: exit code %d\n%s", strings.Join(args, " "), got.code, got.stderr)
	}
	return got
}

// Files of every tool are imported, graded, described and evaluated; the verdicts are
// those that the samples had when they were drawn.
func TestPoolOfEveryTool(t *testing.T) {
	want, err := dataset.LoadPool(foreignData + "expected.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for i, format := range foreign.Formats() {
		dir := t.TempDir()
		pool, graded := filepath.Join(dir, "pool.jsonl.gz"), filepath.Join(dir, "graded.parquet")
		if i%2 == 0 {
			pool, graded = filepath.Join(dir, "pool.parquet"), filepath.Join(dir, "graded.jsonl")
		}
		args := []string{"pool", "import", "--from", format, "--out", pool, "--problems", foreignData + "expected.jsonl"}
		for _, name := range foreignFiles[format] {
			args = append(args, foreignData+name)
		}
		if got := ok(t, args...); !strings.Contains(got.stdout, "5 questions, 15 candidates") {
			t.Errorf("%s: import prints %q", format, got.stdout)
		}
		ok(t, "pool", "grade", "--grader", "auto", pool, "--out", graded)
		got, err := dataset.LoadPool(graded)
		if err != nil {
			t.Fatal(err)
		}
		correct := 0
		for i, q := range got {
			correct += q.Count(rcvae.Correct)
			for j, c := range q.Candidates {
				if w := want[i].Candidates[j]; c.Verdict != w.Verdict || c.Verdict == rcvae.Correct && c.Answer != w.Answer {
					t.Errorf("%s: candidate %d of question %d is %v with %q, want %v with %q", format, j, i, c.Verdict, c.Answer, w.Verdict, w.Answer)
				}
			}
		}
		checkInfoAndEval(t, format, graded, correct)
	}
}

func checkInfoAndEval(t *testing.T, format, pool string, correct int) {
	var infos []poolInfo
	if err := json.Unmarshal([]byte(ok(t, "pool", "info", "--check", "--json", pool).stdout), &infos); err != nil {
		t.Fatal(err)
	}
	if i := infos[0]; i.Questions != 5 || i.Answers != 5 || i.Candidates != 15 || i.Correct != correct || i.Incorrect != 15-correct || i.Mixed != 5 || !i.Check.Checksum {
		t.Errorf("%s: info = %+v", format, i)
	}
	if text := ok(t, "pool", "info", "--check", pool).stdout; !strings.Contains(text, "matches the checksum beside it") {
		t.Errorf("%s: info prints %q", format, text)
	}
	var measured struct {
		Pools []struct {
			Questions int
			Mean      float64 `json:"mean_at_1"`
		}
	}
	if err := json.Unmarshal([]byte(ok(t, "eval", "--pool", pool, "--selector", "majority", "--json").stdout), &measured); err != nil {
		t.Fatal(err)
	}
	if p := measured.Pools[0]; p.Questions != 5 || p.Mean*15-float64(correct) > 1e-9 || float64(correct)-p.Mean*15 > 1e-9 {
		t.Errorf("%s: eval = %+v, want a mean of %d in 15", format, p, correct)
	}
}

// What is wrong with a pool is said with the command that mends it.
func TestPoolRemedies(t *testing.T) {
	ungraded := writeFile(t, "u.jsonl", `{"id":"a","question":"q","answer":"7","candidates":[{"text":"7"},{"text":"8"}]}`+"\n")
	noGold := writeFile(t, "g.jsonl", `{"question":"q","candidates":[{"text":"7"}]}`+"\n")
	empty := writeFile(t, "e.jsonl", `{"question":"q","candidates":[]}`+"\n")
	out := filepath.Join(t.TempDir(), "out")
	bad := writeFile(t, "b.jsonl", `{"question":"q","output":"a"}`+"\n{\n")
	for name, test := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"eval, no verdicts":    {[]string{"eval", "--pool", ungraded, "--selector", "majority"}, exitFailure, []string{"--grader", "rcvae pool grade", ungraded}},
		"train, no verdicts":   {[]string{"train", "--pool", ungraded, "--out", out}, exitFailure, []string{"--grader", "rcvae pool grade"}},
		"eval, no references":  {[]string{"eval", "--pool", noGold, "--grader", "gsm8k", "--selector", "majority"}, exitFailure, []string{"no question has a reference answer", "--problems"}},
		"grade, no references": {[]string{"pool", "grade", "--grader", "gsm8k", noGold, "--out", out}, exitFailure, []string{"--problems"}},
		"eval, no candidates":  {[]string{"eval", "--pool", empty, "--selector", "majority"}, exitFailure, []string{"rcvae sample"}},
		"maj@8":                {[]string{"eval", "--pool", ungraded, "--selector", "maj@8"}, exitUsage, []string{"majority", "-k"}},
		"pass@8":               {[]string{"eval", "--pool", ungraded, "--selector", "pass@8"}, exitUsage, []string{"above every table"}},
		"import, bad record":   {[]string{"pool", "import", "--from", "completions", bad, "--out", out}, exitFailure, []string{bad + ":2: "}},
		"import, no format":    {[]string{"pool", "import", bad, "--out", out}, exitUsage, []string{"lm-eval", "--from"}},
		"import, wrong field":  {[]string{"pool", "import", "--from", "completions", "--field", "gold=x", bad, "--out", out}, exitUsage, []string{"gold=x", "answer"}},
		"import, no file":      {[]string{"pool", "import", "--from", "completions", "--out", out}, exitUsage, []string{"FILE"}},
		"import, no out":       {[]string{"pool", "import", "--from", "completions", bad}, exitUsage, []string{"--out"}},
		"grade, no grader":     {[]string{"pool", "grade", ungraded, "--out", out}, exitUsage, []string{"--grader", "gsm8k"}},
		"no verb":              {[]string{"pool"}, exitUsage, []string{"import, grade or info"}},
		"LFS pointer":          {[]string{"pool", "info", writeFile(t, "l.parquet", "version https://git-lfs.github.com/spec/v1\n")}, exitFailure, []string{"git lfs pull"}},
	} {
		got := rcvaeRun(t, "", test.args...)
		for _, want := range test.want {
			if got.code != test.code || !strings.Contains(got.stderr, want) {
				t.Errorf("%s: exit code %d, %q; want %d and %q", name, got.code, got.stderr, test.code, want)
			}
		}
	}
	got := ok(t, "pool", "import", "--from", "completions", "--skip-bad", bad, "--out", out)
	if !strings.Contains(got.stdout, "1 bad records are left out") || !strings.Contains(got.stderr, bad+":2: ") {
		t.Errorf("--skip-bad: %q, %q; want the count and the record", got.stdout, got.stderr)
	}
}

// No command writes over what it reads, under whatever name.
func TestNoCommandOverwritesItsInput(t *testing.T) {
	dir := t.TempDir()
	pool, link, hard := filepath.Join(dir, "pool.jsonl"), filepath.Join(dir, "link"), filepath.Join(dir, "hard")
	content := []byte(`{"id":"a","question":"q","answer":"7","candidates":[{"text":"7","correct":true},{"text":"8","correct":false}]}` + "\n")
	if err := os.WriteFile(pool, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pool, link); err != nil {
		t.Skip(err)
	}
	if err := os.Link(pool, hard); err != nil {
		t.Skip(err)
	}
	fresh := filepath.Join(dir, "new")
	for _, out := range []string{pool, link, hard, filepath.Join(dir, ".", "x", "..", "pool.jsonl")} {
		for _, args := range [][]string{
			{"pool", "import", "--from", "completions", pool, "--out", out},
			{"pool", "grade", "--grader", "gsm8k", pool, "--out", out},
			{"pool", "grade", "--grader", "gsm8k", foreignData + "expected.jsonl", "--problems", pool, "--out", out},
			{"eval", "--pool", pool, "--selector", "majority", "--out", out},
			{"eval", "--pool", pool, "--selector", "majority", "--details", out},
			{"eval", "--pool", foreignData + "expected.jsonl", "--selector", "majority", "--cache", pool, "--out", out},
			{"train", "--pool", pool, "--out", out},
			{"train", "--pool", pool, "--out", fresh, "--log", out},
			{"embed", "--in", pool, "--out", out},
		} {
			if got := rcvaeRun(t, "", args...); got.code != exitUsage || !strings.Contains(got.stderr, "would be lost") && !strings.Contains(got.stderr, "does not exist") {
				t.Errorf("rcvae %s: exit code %d, %q, want 2", strings.Join(args, " "), got.code, got.stderr)
			}
			if now, err := os.ReadFile(pool); err != nil || string(now) != string(content) {
				t.Fatalf("rcvae %s changed its input: %v", strings.Join(args, " "), err)
			}
		}
	}
	if got := rcvaeRun(t, "", "train", "--pool", pool, "--out", fresh, "--log", fresh); got.code != exitUsage || !strings.Contains(got.stderr, "--log") {
		t.Errorf("the log over the model: exit code %d, %q", got.code, got.stderr)
	}
}

// Questions of one text under several ids are said, in one file or in several.
func TestDoubledQuestionsAreSaid(t *testing.T) {
	const line = `"question":"Is  it?","answer":"7","candidates":[{"text":"7","correct":true},{"text":"8","correct":false}]}` + "\n"
	one, other := writeFile(t, "one.jsonl", `{"id":"a",`+line), writeFile(t, "other.jsonl", `{"id":"b",`+strings.Replace(line, "Is  it?", "Is it?", 1))
	both := writeFile(t, "both.jsonl", `{"id":"a",`+line+`{"id":"b",`+line)
	const want = `questions of one text stand under several ids: 1, the first as "a" and "b"`
	if got := ok(t, "pool", "info", both); !strings.Contains(got.stdout, want) {
		t.Errorf("info of a file: %q", got.stdout)
	}
	if got := ok(t, "pool", "info", one, other); !strings.Contains(got.stdout, "together: "+want) {
		t.Errorf("info of two files: %q", got.stdout)
	}
	if got := ok(t, "pool", "info", one, one); strings.Contains(got.stdout, "several ids") {
		t.Errorf("info of one file, twice: %q", got.stdout)
	}
	if got := ok(t, "eval", "--pool", both, "--selector", "majority"); !strings.Contains(got.stderr, "both: "+want) {
		t.Errorf("eval: %q", got.stderr)
	}
	if got := rcvaeRun(t, "", "train", "--pool", one, "--pool", other, "--embedder", "minilm", "--cache", "none", "--epochs", "1", "--out", filepath.Join(t.TempDir(), "m")); !strings.Contains(got.stderr, "together: "+want) {
		t.Errorf("train: %q", got.stderr)
	}
}

func TestPoolInfoChecks(t *testing.T) {
	pool := filepath.Join(t.TempDir(), "p.jsonl")
	ok(t, "pool", "import", "--from", "completions", foreignData+"completions.jsonl", "--out", pool)
	content, err := os.ReadFile(pool)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(content), "the", "The", 1) // still a pool
	if err := os.WriteFile(pool, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := rcvaeRun(t, "", "pool", "info", "--check", pool); got.code != exitFailure || !strings.Contains(got.stderr, pool+".sha256") {
		t.Errorf("a changed pool: exit code %d, %q", got.code, got.stderr)
	}
	if err := os.Remove(pool + ".sha256"); err != nil {
		t.Fatal(err)
	}
	if got := ok(t, "pool", "info", "--check", pool); !strings.Contains(got.stdout, "checksums   none") {
		t.Errorf("without a checksum: %q", got.stdout)
	}
}

// A line's id comes back with its verdict, and numbers are answers.
func TestGradeLinesCarryIDs(t *testing.T) {
	got := rcvaeRun(t, `{"id":17,"gold":3,"answer":"3"}`+"\n"+`{"id":"b","grader":"math","gold":"\\frac12","answer":0.5}`+"\n", "grade")
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if got.code != exitOK || len(lines) != 2 || !strings.HasPrefix(lines[0], `{"id":17,"verdict":"correct"`) || !strings.HasPrefix(lines[1], `{"id":"b","verdict":"correct"`) {
		t.Errorf("exit code %d, %q, %q", got.code, got.stdout, got.stderr)
	}
	got = rcvaeRun(t, `{"gold":[3],"answer":"3"}`, "grade")
	if got.code != exitFailure || !strings.Contains(got.stderr, "standard input:1") || !strings.Contains(got.stderr, "texts or numbers") {
		t.Errorf("a list as gold: exit code %d, %q", got.code, got.stderr)
	}
}

// "pool" is a command and a flag of others; both can be set in the settings file.
func TestPoolSettings(t *testing.T) {
	out := filepath.Join(t.TempDir(), "p.jsonl")
	section := writeFile(t, "s.yaml", "pool:\n  grader: gsm8k\ngrade:\n  grader: math\n")
	if got := ok(t, "pool", "grade", "--config", section, foreignData+"expected.jsonl", "--out", out); !strings.Contains(got.stdout, "graded by gsm8k") {
		t.Errorf("grade prints %q", got.stdout)
	}
	if got := rcvaeRun(t, "", "eval", "--config", section); got.code != exitUsage || !strings.Contains(got.stderr, "--pool is missing") {
		t.Errorf("eval takes the section of a command for files: %q", got.stderr)
	}
	files := writeFile(t, "f.yaml", "pool: ["+out+"]\nselector: [majority]\n")
	ok(t, "eval", "--config", files)
	unknown := writeFile(t, "u.yaml", "pool:\n  grade: gsm8k\n")
	if got := rcvaeRun(t, "", "eval", "--config", unknown); got.code != exitUsage || !strings.Contains(got.stderr, "pool.grade") {
		t.Errorf("an unknown key: %q", got.stderr)
	}
}
