package queue

import (
	"fmt"
	"sync"
)

// faultLog keeps the last error of the server, which is what a failed start is told by.
type faultLog struct {
	mu   sync.Mutex
	text string
}

func (l *faultLog) keep(format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = fmt.Sprintf(format, args...)
}

func (l *faultLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == "" {
		return "it does not start"
	}
	return l.text
}

// Errorf and the others implement the server's Logger.
func (l *faultLog) Errorf(format string, args ...any) { l.keep(format, args) }

// Fatalf keeps an error.
func (l *faultLog) Fatalf(format string, args ...any) { l.keep(format, args) }

// Warnf drops a warning.
func (l *faultLog) Warnf(string, ...any) {}

// Noticef drops a notice.
func (l *faultLog) Noticef(string, ...any) {}

// Debugf drops what helps debugging.
func (l *faultLog) Debugf(string, ...any) {}

// Tracef drops a trace.
func (l *faultLog) Tracef(string, ...any) {}
