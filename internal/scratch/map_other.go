//go:build !unix

package scratch

import (
	"errors"
	"os"
)

// Without maps everything stays in memory.
func unnamed() (*os.File, error) { return nil, errors.ErrUnsupported }

func mapSegment(*os.File, int64, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmap([]byte) error { return nil }

type releaser struct{}

func newReleaser() *releaser { return &releaser{} }

func (r *releaser) add([]byte) {}
func (r *releaser) stop()      {}
