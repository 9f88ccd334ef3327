package llm

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rcvae/internal/openaiapi"
)

// ErrUnavailable is returned at once, without a call, while the server has failed
// too often in a row.
var ErrUnavailable = errors.New("the server failed several times in a row and is left alone for some seconds")

// StatusError is an error that the server answered with.
type StatusError struct {
	Server     string          // its base URL
	Status     int             // HTTP status, 400 or above
	Message    string          // what the server said
	RetryAfter time.Duration   // what the server asks to wait, a minute at most; 0 when it says nothing
	Detail     openaiapi.Error // the error as the server wrote it
	Body       []byte          // the response, at most 64 KiB
}

// Error implements error.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s: %s", e.Server, e.Status, http.StatusText(e.Status), e.Message)
}

// The ways in which servers complain about n: "n_cmpl cannot be greater than the
// number of slots" and "Field 'n': Value must be between 1 <= value <= 4, but got 8"
// (llama.cpp), "Only one completion choice is allowed" (its older
// versions), "n must be 1 when using greedy sampling" (vLLM), "'n' is not supported",
// "n > 1 is not supported".
var complaintsAboutN = regexp.MustCompile(`(?i)\bn_cmpl\b|one completion choice|multiple (completion )?(choices|completions)|` +
	"(parameter|argument|field|value)s?:? ['\"`]?n['\"`]?(\\W|$)|['\"`]n['\"`]|" +
	`\bn ?(>|=|<)=? ?\d|\bn (must|should|cannot|can't|has to|is (not|too|greater|larger|limited)|greater)\b`)

var (
	slotsInMessage  = regexp.MustCompile(`(?i)slots?\D{0,20}(\d{1,4})|(\d{1,4}) slots?|value <= (\d{1,4})`)
	greedyInMessage = regexp.MustCompile(`(?i)greedy|temperature`)
)

// aboutN reports whether the server refuses the number of choices.
func (e *StatusError) aboutN() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusNotImplemented:
	default:
		return false
	}
	if e.Detail.Param != nil && *e.Detail.Param == "n" {
		return true
	}
	return complaintsAboutN.MatchString(e.Message)
}

// choicesAllowed returns how many choices of one call the error says are allowed,
// below asked, and 1 when it gives no number.
func (e *StatusError) choicesAllowed(asked int) int {
	for _, group := range slotsInMessage.FindStringSubmatch(e.Message) {
		if n, err := strconv.Atoi(group); err == nil && n >= 1 && n < asked {
			return n
		}
	}
	return 1
}

// ofThisRequest reports whether the refusal of n comes from other fields of the
// request, so that nothing is to be learned about the server.
func (e *StatusError) ofThisRequest() bool { return greedyInMessage.MatchString(e.Message) }

// rejects reports whether the server refuses the request because of the field.
func (e *StatusError) rejects(field string) bool {
	if e.Status != http.StatusBadRequest && e.Status != http.StatusUnprocessableEntity {
		return false
	}
	if e.Detail.Param != nil && *e.Detail.Param == field {
		return true
	}
	return strings.Contains(e.Message, field)
}
