package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rcvae/cvae"
)

// trainLog is the file with a JSON line per epoch. An epoch that the checkpoint does not
// hold is trained again, so its line is dropped: each stands in the file once.
type trainLog struct {
	file  *os.File
	begun bool  // the file holds this training, and not what was there before
	err   error // the first one; training goes on without the log
}

// trainLogOf returns the path of the training log.
func trainLogOf(cmd *cobra.Command, out string) string {
	if path, _ := cmd.Flags().GetString("log"); path != "" {
		return path
	}
	return out + ".log.jsonl"
}

// openTrainLog opens a log. What it holds stays until the first epoch is written.
func openTrainLog(path string) (*trainLog, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the training log: %w", err)
	}
	return &trainLog{file: file}, nil
}

// restart writes the epochs of the part of the training that is done.
func (l *trainLog) restart(epochs []cvae.EpochLog) {
	for _, e := range epochs {
		l.add(e)
	}
}

func (l *trainLog) add(e cvae.EpochLog) {
	if l.err != nil {
		return
	}
	if !l.begun {
		l.begun, l.err = true, l.empty()
	}
	line, err := json.Marshal(e)
	if err == nil && l.err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	l.err = errors.Join(l.err, err)
}

// empty removes an earlier training's lines. A pipe or a device has none.
func (l *trainLog) empty() error {
	info, err := l.file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = l.file.Truncate(0)
	}
	return err
}

// close says why the log is not whole.
func (l *trainLog) close() error {
	if err := errors.Join(l.err, l.file.Close()); err != nil {
		return fmt.Errorf("the training log is not whole: %w", err)
	}
	return nil
}
