package report_test

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rcvae/report"
)

const (
	browserTimeout = 2 * time.Minute // a browser starts in a second or two

	// axeFile is what "make axe" puts there.
	axeFile = "../tools/axe/node_modules/axe-core/axe.min.js"
)

func chromium(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium found (chromium, chromium-browser or google-chrome): the page is not tested in a browser")
	return ""
}

// visit opens the page of two pools in a browser that prefers a scheme of colours, and
// fails the test for whatever the page writes to the console until check is done.
func visit(t *testing.T, scheme, fragment string, check func(ctx context.Context)) {
	t.Helper()
	browser := chromium(t)
	page := write(t, report.Options{TSNE: true}, makePool("first", 90, 8, 30, 1.5, 1).source("a.json"), makePool("second", 60, 8, 30, 0.5, 2).source("b.json"))
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.WindowSize(1200, 900),
		chromedp.Flag("blink-settings", "preferredColorScheme="+map[string]string{"dark": "0", "light": "1"}[scheme]))
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	defer cancelAllocator()
	ctx, cancelTab := chromedp.NewContext(ctx)
	defer cancelTab()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	messages := chromedp.Console(ctx) // they wait until somebody reads them
	address := url.URL{Scheme: "file", Path: file, Fragment: fragment}
	if err := chromedp.Do(ctx, chromedp.Navigate(address.String())); err != nil {
		t.Fatal(err)
	}
	check(ctx)
	evaluate[any](t, ctx, `console.log("done")`)
	for m, err := range messages {
		switch {
		case err != nil:
			t.Fatal(err)
		case m.Text == "done":
			return
		}
		t.Errorf("the console says %v", m)
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("evaluate %s: %v", script, err)
	}
	return got
}

// rowsShown counts the questions of the first pool that can be seen.
const rowsShown = `[...document.querySelectorAll("#p1 tr[data-c]")].filter(r => r.getClientRects().length).length`

func TestFiltersInChromium(t *testing.T) {
	visit(t, "light", "", func(ctx context.Context) {
		if got := evaluate[int](t, ctx, rowsShown); got != 90 {
			t.Fatalf("%d questions are shown, want 90", got)
		}
		for _, key := range []string{"differ", "gained", "lost", "missed", "hopeless", "all"} {
			link := `#p1 .filters a[href="#p1-` + key + `"]`
			if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(link))); err != nil {
				t.Fatal(err)
			}
			count := evaluate[int](t, ctx, `+document.querySelector('`+link+` .count').textContent`)
			shown := evaluate[int](t, ctx, rowsShown)
			address := evaluate[string](t, ctx, `location.hash`)
			if shown != count || address != "#p1-"+key || key == "differ" && (shown == 0 || shown == 90) {
				t.Errorf("filter %s shows %d questions at %s, want %d", key, shown, address, count)
			}
		}
		search := chromedp.CSS("#p1 .search input")
		if err := chromedp.Do(ctx, chromedp.SendKeys(search, "q-0007")); err != nil {
			t.Fatal(err)
		}
		if got := evaluate[int](t, ctx, rowsShown); got != 1 {
			t.Errorf("a search for one id shows %d questions", got)
		}
	})
}

// A filter in the address works from the start, and so does a question.
func TestAddressesInChromium(t *testing.T) {
	visit(t, "light", "p1-differ", func(ctx context.Context) {
		count := evaluate[int](t, ctx, `+document.querySelector('#p1 .filters a[href="#p1-differ"] .count').textContent`)
		if got := evaluate[int](t, ctx, rowsShown); got != count || got == 90 {
			t.Errorf("%d questions are shown, want %d", got, count)
		}
		if said := evaluate[string](t, ctx, `document.querySelector("#p1 .status").textContent`); said != fmt.Sprint(count, " questions") {
			t.Errorf("the page says %q, want %d questions", said, count)
		}
	})
	visit(t, "light", "p1-q3", func(ctx context.Context) {
		if err := chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#p1 .opened .candidates"))); err != nil {
			t.Fatal(err)
		}
		if got := evaluate[int](t, ctx, `document.querySelectorAll("#p1 .opened li").length`); got != 8 {
			t.Errorf("%d candidates are shown, want 8", got)
		}
	})
}

func TestCandidatesInChromium(t *testing.T) {
	visit(t, "light", "", func(ctx context.Context) {
		err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#p1-q1 th a")), chromedp.WaitVisible(chromedp.CSS("#p1-q1 + .opened .candidates")))
		if err != nil {
			t.Fatal(err)
		}
		got := evaluate[string](t, ctx, `document.querySelector("#p1-q1 + .opened").textContent`)
		for _, want := range []string{"How many are 0 and 1?", "majority", "vote:entropy", "nats", "agree_results"} {
			if !strings.Contains(got, want) {
				t.Errorf("the open question lacks %q: %s", want, got)
			}
		}
		for range 90 { // until one has a wrong equation
			if evaluate[bool](t, ctx, `!!document.querySelector("#p1 mark")`) {
				break
			}
			evaluate[any](t, ctx, `document.querySelector("#p1 tr[data-c] a[aria-expanded=false]").click()`)
			if err := chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#p1 .opened:last-of-type, #p1 .opened"))); err != nil {
				t.Fatal(err)
			}
		}
		if mark := evaluate[string](t, ctx, `document.querySelector("#p1 .text mark").textContent + document.querySelector("#p1 .text mark + .want").textContent`); mark != "12 * 3 = 35 (is 36)" {
			t.Errorf("marked is %q", mark)
		}
		if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#p1-q1 th a"))); err != nil {
			t.Fatal(err)
		}
		if evaluate[bool](t, ctx, `!!document.querySelector("#p1-q1 + .opened")`) {
			t.Error("a second click leaves the question open")
		}
	})
}

// The page has no fault that axe finds, in light and dark, with a question open, and
// nothing lies beside the window.
func TestAccessibility(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil {
		t.Skip("axe-core is not there: make axe fetches it")
	}
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			visit(t, scheme, "p1-q3", func(ctx context.Context) {
				if err := chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#p1 .opened .candidates"))); err != nil {
					t.Fatal(err)
				}
				if dark := evaluate[bool](t, ctx, `matchMedia("(prefers-color-scheme: dark)").matches`); dark != (scheme == "dark") {
					t.Fatalf("the browser prefers dark: %v", dark)
				}
				evaluate[any](t, ctx, string(axe)+";undefined")
				faults := evaluate[[]string](t, ctx, `axe.run().then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ": " + v.help + " " + n.html.slice(0, 200) + " " + n.failureSummary)))`)
				for _, f := range faults {
					t.Error(f)
				}
				if passed := evaluate[int](t, ctx, `axe.run().then(r => r.passes.length)`); passed < 20 {
					t.Errorf("axe looked at %d rules only", passed)
				}
				if wide := evaluate[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
					t.Errorf("the page is %d pixels wider than the window", wide)
				}
				screenshot(t, ctx, scheme)
			})
		})
	}
}

// screenshot checks that a picture of the page has more than a few colours, and writes it
// to the folder that RCVAE_SCREENSHOTS names, if it does.
func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	evaluate[any](t, ctx, `scrollTo(0, 0)`)
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	colours := map[[3]uint32]bool{}
	for y := 0; y < decoded.Bounds().Dy(); y += 3 {
		for x := 0; x < decoded.Bounds().Dx(); x += 3 {
			r, g, b, _ := decoded.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}] = true
		}
	}
	if len(colours) < 20 {
		t.Errorf("the screenshot has %d colours: is the page empty?", len(colours))
	}
	if folder := os.Getenv("RCVAE_SCREENSHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "report-"+name+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
