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

// browserTimeout bounds the whole visit: a browser starts in a second or two.
const browserTimeout = 2 * time.Minute

// TestThePageInChromium asks a question on the page and looks at what it shows. The
// screenshot is written to the file that RCVAE_SCREENSHOT names, if it does.
func TestThePageInChromium(t *testing.T) {
	browser := chromium()
	if browser == "" {
		t.Skip("no Chromium found (chromium, chromium-browser or google-chrome): the page is not tested in a browser")
	}
	s := start(t, func(s *setup) { s.config.K, s.script.Reply = 5, wordProblem })
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.WindowSize(1100, 900))
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	defer cancelAllocator()
	ctx, cancelTab := chromedp.NewContext(ctx)
	defer cancelTab()
	const question = "A baker fills 4 trays with 12 rolls each and sells 19 of them. How many rolls are left?"
	err := chromedp.Do(ctx,
		chromedp.Navigate(s.url),
		chromedp.WaitVisible(chromedp.CSS("#ask")),
		chromedp.SetValue(chromedp.CSS("#model"), "scripted"),
		chromedp.SendKeys(chromedp.CSS("#question"), question),
		chromedp.Click(chromedp.CSS("#ask")),
		chromedp.WaitVisible(chromedp.CSS("#why")),
		chromedp.WaitEnabled(chromedp.CSS("#ask")),
	)
	if err != nil {
		t.Fatalf("visit the page with %s: %v", browser, err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[shown](readPage, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("read the page: %v", err)
	}
	if got.Candidates != 5 || got.Chosen != 1 || !strings.Contains(got.Answer, "48 - 19 = 29") || !strings.Contains(got.Status, "5 of 5") ||
		!strings.Contains(got.Reason, "#2 was chosen by majority: 3 of 5 votes for 29") {
		t.Errorf("the page shows %+v, want five candidates and the second chosen", got)
	}
	screenshot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("take a screenshot: %v", err)
	}
	checkPicture(t, screenshot)
	if path := os.Getenv("RCVAE_SCREENSHOT"); path != "" {
		if err := os.WriteFile(path, screenshot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shown is what the page shows.
type shown struct {
	Candidates, Chosen     int
	Answer, Reason, Status string
}

// readPage reads the page after its bars have grown.
const readPage = `Promise.all(document.getAnimations().map(a => a.finished)).then(() => {
	const list = [...document.querySelectorAll("#candidates li")], text = id => document.getElementById(id).textContent;
	return {Candidates: list.length, Chosen: list.findIndex(e => e.classList.contains("chosen")), Answer: text("answer"), Reason: text("reason"), Status: text("status")};
})`

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
		"The baker has 48 rolls and sells 19. 48 - 19 = 31. The answer is 31.",
		"First count the rolls: 12 + 12 + 12 + 12 = 48. Then 48 - 19 = 29. The answer is 29.",
	}[p.Choice%5]}
}
