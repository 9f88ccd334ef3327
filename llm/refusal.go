package llm

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// What servers say about a field that they refuse. All forms are looked for at the
// beginning of the message alone: some servers quote the whole request behind it.
var (
	namedFirst = regexp.MustCompile("^(?:value error, )?(?:the |parameter |field |argument |property )*['\"`]?([a-z_][a-z0-9_]*)['\"`]?:? " +
		"(?:is|are|was|must|should|has to|cannot|can't|does not|may not|not supported|unsupported|extra inputs|value must|> ?1)")
	namedLater = regexp.MustCompile("^(?:value error, )?(?:unrecognized request argument supplied|unsupported parameter|unsupported value|unknown parameter|" +
		"unknown field|unrecognized (?:field|parameter|key)|invalid parameter|got an unexpected keyword argument|unexpected (?:field|parameter)|extra (?:field|parameter))" +
		":? ['\"`]?([a-z_][a-z0-9_.]*)")
	namedByRepr = regexp.MustCompile(`^\[\{'type': '[^']*', 'loc': \('body', '([a-z_][a-z0-9_]*)'`) // Python's list of pydantic's errors
)

// refusedField returns the name of the field that the server refuses, and "" when it
// names none: by the error's param, by pydantic's location, by a known wording.
func (e *StatusError) refusedField() string {
	if e.Status != http.StatusBadRequest && e.Status != http.StatusUnprocessableEntity && e.Status < http.StatusInternalServerError {
		return ""
	}
	if p := e.Detail.Param; p != nil && *p != "" {
		return strings.TrimPrefix(*p, "body.")
	}
	if strings.HasPrefix(e.Detail.Message, "[{") {
		return locatedField(e.Detail.Message)
	}
	text := strings.ToLower(e.Detail.Message[:min(len(e.Detail.Message), 200)])
	for _, form := range []*regexp.Regexp{namedLater, namedFirst} {
		if m := form.FindStringSubmatch(text); m != nil {
			return strings.TrimPrefix(m[1], "body.")
		}
	}
	return ""
}

// locatedField reads the location of the first of pydantic's errors, in JSON or as
// Python writes it.
func locatedField(message string) string {
	var list []struct {
		Loc []any `json:"loc"`
	}
	if json.Unmarshal([]byte(message), &list) == nil {
		if len(list[0].Loc) < 2 {
			return ""
		}
		field, _ := list[0].Loc[1].(string)
		return field
	}
	if m := namedByRepr.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

// The names that servers have for n, and what they say about it without a name:
// "Only one completion choice is allowed" (older llama.cpp), "Multiple candidates is
// not enabled for this model" and "candidateCount value of 16 but …" (Gemini).
var (
	namesOfN   = map[string]bool{"n": true, "n_cmpl": true, "candidatecount": true, "candidate_count": true, "num_choices": true, "n_choices": true}
	wordsOnN   = regexp.MustCompile(`^(?:only one completion choice|multiple (?:completion )?(?:choices|completions|candidates)|candidate_?count|n_cmpl|['"]?n['"]? ?[><=])`)
	boundOnN   = regexp.MustCompile(`slots?\D{0,20}(\d{1,4})|(\d{1,4}) slots?|value <= (\d{1,4})|less than or equal to (\d{1,4})|at most (\d{1,4})`)
	openBound  = regexp.MustCompile(`to (\d{1,4}) \(exclusive\)`)
	greedyOnly = regexp.MustCompile(`greedy|temperature`)
)

// aboutN reports whether the server says that it refuses the number of choices. It may
// refuse it without a word: see [drawing.shrink].
func (e *StatusError) aboutN() bool {
	if e.Status == http.StatusTooManyRequests {
		return false
	}
	return namesOfN[strings.ToLower(e.refusedField())] || wordsOnN.MatchString(e.beginning())
}

// choicesAllowed returns how many choices of one call the error says are allowed,
// below asked, and 1 when it gives no number.
func (e *StatusError) choicesAllowed(asked int) int {
	text := e.beginning()
	for _, group := range boundOnN.FindStringSubmatch(text) {
		if n, err := strconv.Atoi(group); err == nil && n >= 1 && n < asked {
			return n
		}
	}
	if m := openBound.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 1 && n <= asked {
			return n - 1
		}
	}
	return 1
}

// ofThisRequest reports whether the refusal of n may come from other fields of the
// request, so that nothing is to be learned about the server.
func (e *StatusError) ofThisRequest() bool {
	return greedyOnly.MatchString(strings.ToLower(e.Detail.Message))
}

// mayBeN reports whether a call with several choices is worth a try with fewer: the
// server refuses the request, for whatever reason it gives.
func (e *StatusError) mayBeN() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError || e.aboutN()
}

var wordsOnKeys = regexp.MustCompile(`api[ _-]?key|incorrect key|invalid key|credential|unauthenticated|authenticat|authorization header|bearer token`)

// AboutKey reports whether the server refuses the key, whatever status it says so
// with: xAI answers 400. A 403 without a word about keys is about the request, or the
// country.
func (e *StatusError) AboutKey() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return true
	case http.StatusBadRequest, http.StatusForbidden:
		code, _ := e.Detail.Code.(string)
		return wordsOnKeys.MatchString(e.beginning()) || wordsOnKeys.MatchString(strings.ToLower(code))
	}
	return false
}

// beginning returns the first words of the message in lower case.
func (e *StatusError) beginning() string {
	return strings.ToLower(e.Detail.Message[:min(len(e.Detail.Message), 200)])
}
