package llm_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

// TestNoPartOfTheKeyComesBack: whatever an upstream quotes, and with whatever status.
func TestNoPartOfTheKeyComesBack(t *testing.T) {
	const key = "xai-operators-secret-key-Zq"
	for name, message := range map[string]string{
		"all of it":      "Incorrect API key provided: " + key,
		"masked":         "Incorrect API key provided: xa***Zq. You can obtain an API key from https://console.x.ai.",
		"masked, points": "wrong key xai-...-Zq",
		"masked, long":   "wrong key xai-op••••••••ey-Zq",
		"only its end":   "wrong key ****************y-Zq",
		"named ends":     "the key ending in y-Zq and starting with xai-op is not known",
		"a part":         "wrong key operators-secret",
		"in a header":    `{"headers":{"authorization":"Bearer ` + key + `"}}`,
	} {
		for _, status := range []int{200, 400, 401, 403, 422, 500} {
			u := keyed(t, key, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				fmt.Fprintf(w, `{"code":"x","error":{"message":%q,"metadata":{"raw":%q}}}`, message, message)
			}))
			_, drawn := u.Draw(t.Context(), chat(t, question, ""))
			errs := []error{drawn}
			if status != 200 {
				_, forwarded := u.Forward(t.Context(), http.MethodPost, llm.ChatPath, nil, []byte("{}")) //nolint:bodyclose // there is none with an error
				errs = append(errs, forwarded)
			}
			for _, err := range errs {
				e, ok := errors.AsType[*llm.StatusError](err)
				if !ok {
					t.Fatalf("%s, %d: %v, want the server's error", name, status, err)
				}
				text := err.Error() + string(e.Detail.Envelope())
				for _, part := range []string{"xa*", "*Zq", "xai-op", "y-Zq", "-Zq", "operators", "secret-k"} {
					if strings.Contains(text, part) {
						t.Errorf("%s, %d: %q shows %q", name, status, text, part)
					}
				}
			}
		}
	}
}

func keyed(t *testing.T, key string, handler http.Handler) *llm.Upstream {
	t.Helper()
	options := llm.DefaultOptions("http://scripted.test")
	options.Key, options.Retries, options.Transport = key, 0, memoryTransport{handler}
	u, err := llm.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOtherTextsStayAsTheyAre(t *testing.T) {
	const text = "2**3 = 8, **bold**, see https://example.com/a...b and xxxx; the answer is ending in 5"
	u := keyed(t, "xai-operators-secret-key-Zq", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"message":%q}}`, text)
	}))
	_, err := u.Draw(t.Context(), chat(t, question, ""))
	if e, ok := errors.AsType[*llm.StatusError](err); !ok || e.Detail.Message != text {
		t.Errorf("Draw = %v, want the message as it was", err)
	}
}

func TestWhatIsAboutTheKey(t *testing.T) {
	for _, tt := range []struct {
		status  int
		message string
		want    bool
	}{
		{401, "anything", true}, {407, "", true},
		{400, "Incorrect API key provided", true},
		{403, "Authentication failed", true},
		{403, "your input was flagged", false},
		{403, "Country, region, or territory not supported", false},
		{400, "messages must not be empty", false},
		{400, strings.Repeat("quoted ", 60) + "my api key", false},
		{404, "no such API key page", false},
	} {
		e := &llm.StatusError{Status: tt.status, Detail: openaiapi.Error{Message: tt.message}}
		if got := e.AboutKey(); got != tt.want {
			t.Errorf("AboutKey(%d %q) = %v, want %v", tt.status, tt.message, got, tt.want)
		}
	}
}
