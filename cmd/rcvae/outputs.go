package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rcvae/internal/atomicfile"
)

// checkOutputs fails if a file that the command would write is one that it reads, the
// cache of embeddings, or another one that it would write.
func checkOutputs(cmd *cobra.Command, inputs ...string) error {
	if cache, err := cmd.Flags().GetString("cache"); err == nil && cache != "" && cache != "none" {
		inputs = append(inputs, cache)
	}
	for _, flag := range []string{"out", "details", "log"} {
		path, err := cmd.Flags().GetString(flag)
		if err != nil || path == "" || path == "-" {
			continue
		}
		if err := checkOutput("--"+flag, path, inputs); err != nil {
			return err
		}
		if err := checkReplaced(cmd.CommandPath()+" --"+flag, path); err != nil {
			return err
		}
		inputs = append(inputs, path)
	}
	return nil
}

// checkWritable is [checkOutputs] for the path of --out alone.
func checkWritable(path string, inputs ...string) error { return checkOutput("--out", path, inputs) }

// checkOutput fails when the folder of path does not exist, path is a folder, or it is
// one of the inputs: by its name, a link, or another name of the same file.
func checkOutput(flag, path string, inputs []string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return usagef("%s %s is a folder; name a file", flag, path)
	}
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
		return fmt.Errorf("%s %s: the folder %s does not exist; make it first", flag, path, filepath.Dir(path))
	}
	for _, input := range inputs {
		other, statErr := os.Stat(input)
		same := err == nil && statErr == nil && os.SameFile(info, other)
		if same || filepath.Clean(input) == filepath.Clean(path) {
			return usagef("%s %s is the same file as %s, which would be lost; name another", flag, path, input)
		}
	}
	return nil
}

// lockOutputs takes the right to write these files; a second process is told who has it.
// The function that it returns gives them back.
func lockOutputs(cmd *cobra.Command, paths ...string) (release func(), err error) {
	var held []*atomicfile.Lock
	release = func() {
		for _, lock := range held {
			lock.Release()
		}
	}
	for _, path := range paths {
		lock, err := atomicfile.Acquire(path, commandLine(cmd))
		if err != nil {
			release()
			return nil, fmt.Errorf("%s: %w", cmd.Name(), err)
		}
		held = append(held, lock)
	}
	return release, nil
}
