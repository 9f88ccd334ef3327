package gateway_test

import (
	"bytes"
	"context"
	"image"
	_ "image/png" // screenshots
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rcvae/rcvaetest"
)

const (
	browserTimeout = 2 * time.Minute // a browser starts in a second or two

	// axeFile is what "make axe" puts there.
	axeFile = "../tools/axe/node_modules/axe-core/axe.min.js"
)

const wordQuestion = "A baker fills 4 trays with 12 rolls each and sells 19 of them. How many rolls are left?"

// visit asks a question on the page, in a browser that prefers a scheme of colours.
func visit(t *testing.T, scheme string, check func(ctx context.Context)) {
	t.Helper()
	browser := chromium()
	if browser == "" {
		t.Skip("no Chromium found (chromium, chromium-browser or google-chrome): the page is not tested in a browser")
	}
	s := start(t, func(s *setup) { s.config.K, s.config.Selector, s.script.Reply = 5, "vote:arithmetic", wordProblem })
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.WindowSize(1180, 1080),
		chromedp.Flag("blink-settings", "preferredColorScheme="+map[string]string{"dark": "0", "light": "1"}[scheme]))
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	defer cancelAllocator()
	ctx, cancelTab := chromedp.NewContext(ctx)
	defer cancelTab()
	err := chromedp.Do(ctx,
		chromedp.Navigate(s.url),
		chromedp.WaitVisible(chromedp.CSS("#ask")),
		chromedp.SetValue(chromedp.CSS("#model"), "scripted"),
		chromedp.SendKeys(chromedp.CSS("#question"), wordQuestion),
		chromedp.Click(chromedp.CSS("#ask")),
		chromedp.WaitVisible(chromedp.CSS("#why")),
		chromedp.WaitEnabled(chromedp.CSS("#ask")),
	)
	if err != nil {
		t.Fatalf("visit the page with %s: %v", browser, err)
	}
	check(ctx)
}

func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("evaluate %s: %v", script, err)
	}
	return got
}

// TestThePageInChromium looks at what the page shows of a question: the answer, the
// reason, and the wrong equation in the candidate's own words. RCVAE_SCREENSHOT names the
// file of a screenshot.
func TestThePageInChromium(t *testing.T) {
	visit(t, "light", func(ctx context.Context) {
		got := evaluate[shown](t, ctx, readPage)
		if got.Candidates != 5 || got.Chosen != 1 || !strings.Contains(got.Answer, "48 - 19 = 29") || !strings.Contains(got.Status, "5 of 5") ||
			!strings.Contains(got.Reason, "#2 was chosen by vote:arithmetic") || !strings.Contains(got.Reason, "48 - 19 = 31, which should be 29") {
			t.Errorf("the page shows %+v, want five candidates, the second chosen, and why", got)
		}
		if got.Marked != "48 - 19 = 31" || got.Want != " (is 29)" || got.Text != "Étienne has 48 rolls and sells 19. 48 - 19 = 31 (is 29). The answer is 31." {
			t.Errorf("marked is %q%s in %q", got.Marked, got.Want, got.Text)
		}
		if !strings.Contains(got.Facts, "1 equation checked, 1 wrong") || !strings.Contains(got.Signals, "wrong_any1") || !strings.Contains(got.Signals, "agree_numbers") {
			t.Errorf("the fourth candidate's facts are %q, its signals %q", got.Facts, got.Signals)
		}
		screenshot(t, ctx, "light")
	})
}

// shown is what the page shows; Text and what follows are of the fourth candidate.
type shown struct {
	Candidates, Chosen                 int
	Answer, Reason, Status             string
	Text, Marked, Want, Facts, Signals string
}

// readPage reads the page after its bars have grown.
const readPage = `Promise.all(document.getAnimations().map(a => a.finished)).then(() => {
	const list = [...document.querySelectorAll("#candidates li")], text = id => document.getElementById(id).textContent;
	const of = (query) => [...list[3].querySelectorAll(query)].map(e => e.textContent).join("|");
	return {Candidates: list.length, Chosen: list.findIndex(e => e.classList.contains("chosen")), Answer: text("answer"), Reason: text("reason"), Status: text("status"),
		Text: of(".text"), Marked: of("mark"), Want: of(".want"), Facts: of(".facts"), Signals: of("table")};
})`

// TestThePageIsAccessible: axe finds no fault in light and dark, and nothing lies beside
// the window.
func TestThePageIsAccessible(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil {
		t.Skip("axe-core is not there: make axe fetches it")
	}
	for _, scheme := range []string{"light", "dark"} {
		visit(t, scheme, func(ctx context.Context) {
			if dark := evaluate[bool](t, ctx, `matchMedia("(prefers-color-scheme: dark)").matches`); dark != (scheme == "dark") {
				t.Fatalf("the browser prefers dark: %v", dark)
			}
			evaluate[shown](t, ctx, readPage) // until the bars have grown
			screenshot(t, ctx, scheme)
			evaluate[any](t, ctx, `document.querySelectorAll("details").forEach(d => d.open = true)`)
			evaluate[any](t, ctx, string(axe)+";undefined")
			for _, f := range evaluate[[]string](t, ctx, `axe.run().then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ": " + v.help + " " + n.html.slice(0, 200) + " " + n.failureSummary)))`) {
				t.Errorf("%s: %s", scheme, f)
			}
			if passed := evaluate[int](t, ctx, `axe.run().then(r => r.passes.length)`); passed < 20 {
				t.Errorf("axe looked at %d rules only", passed)
			}
			if wide := evaluate[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", wide)
			}
		})
	}
}

// screenshot checks that there is something to see, and keeps it where one is asked for.
func screenshot(t *testing.T, ctx context.Context, scheme string) {
	t.Helper()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("take a screenshot: %v", err)
	}
	checkPicture(t, picture)
	if path := os.Getenv("RCVAE_SCREENSHOT"); path != "" && scheme == "light" {
		if err := os.WriteFile(path, picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// checkPicture checks that the screenshot is a picture of something: it has the size
// of the window and more than a few colours.
func checkPicture(t *testing.T, png []byte) {
	t.Helper()
	picture, _, err := image.Decode(bytes.NewReader(png))
	if err != nil {
		t.Fatal(err)
	}
	colours := map[[3]uint32]bool{}
	size := picture.Bounds()
	for y := size.Min.Y; y < size.Max.Y; y += 3 {
		for x := size.Min.X; x < size.Max.X; x += 3 {
			r, g, b, _ := picture.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}] = true
		}
	}
	if size.Dx() < 1000 || len(colours) < 20 {
		t.Errorf("the screenshot is %v with %d colours: is the page empty?", size, len(colours))
	}
}

// wordProblem has three draws that are right in two ways and two that are wrong.
func wordProblem(p rcvaetest.Prompt) rcvaetest.Reply {
	return rcvaetest.Reply{Text: []string{
		"The baker fills 4 trays, 12 rolls on each, so 4 + 12 = 16 rolls are there. Then 19 - 16 = 3. The answer is 3.",
		"There are 4 * 12 = 48 rolls on the trays. After 19 are sold, 48 - 19 = 29 are left. The answer is 29.",
		"4 trays of 12 make 48 rolls. 48 take away 19 is 29. The answer is 29.",
		"Étienne has 48 rolls and sells 19. 48 - 19 = 31. The answer is 31.",
		"First count the rolls: 12 + 12 + 12 + 12 = 48. Then 48 - 19 = 29. The answer is 29.",
	}[p.Choice%5]}
}
