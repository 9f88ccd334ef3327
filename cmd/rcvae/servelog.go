package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
)

// errLogged is the error of a command that has written why to its log.
var errLogged = errors.New("see the log")

// recordWriter makes a log record of each line that is written for people, so that the
// standard error of a server has one form.
type recordWriter struct {
	logger  *slog.Logger
	command string // that lines begin with

	mu   sync.Mutex
	line []byte // without its end
}

// Write implements io.Writer. A line that says "warning:" is a warning, and others are
// information.
func (w *recordWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, p...)
	for {
		line, rest, whole := bytes.Cut(w.line, []byte{'\n'})
		if !whole {
			return len(p), nil
		}
		w.record(strings.TrimPrefix(string(line), w.command+": "))
		w.line = append([]byte{}, rest...)
	}
}

func (w *recordWriter) record(text string) {
	if rest, warning := strings.CutPrefix(text, "warning: "); warning {
		w.logger.Warn(rest)
	} else if text != "" {
		w.logger.Info(text)
	}
}
