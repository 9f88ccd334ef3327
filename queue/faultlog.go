package queue

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
)

// faultLog keeps the last error of the server, which is what a failed start is told by, and
// the last that says that the disk takes no more.
type faultLog struct {
	mu         sync.Mutex
	text, full string
}

func (l *faultLog) keep(format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = fmt.Sprintf(format, args...)
	for _, cause := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
		if strings.Contains(l.text, cause.Error()) {
			l.full = l.text
		}
	}
}

func (l *faultLog) disk() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full
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

// Warnf keeps a warning like an error: some full disks are warned of.
func (l *faultLog) Warnf(format string, args ...any) { l.keep(format, args) }

// Noticef drops a notice.
func (l *faultLog) Noticef(string, ...any) {}

// Debugf drops what helps debugging.
func (l *faultLog) Debugf(string, ...any) {}

// Tracef drops a trace.
func (l *faultLog) Tracef(string, ...any) {}
