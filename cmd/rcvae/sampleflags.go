package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rcvae/llm"
)

// addPatienceFlags adds the flags that say how long a server that is away is waited for.
func addPatienceFlags(cmd *cobra.Command, retryFor, longestWait time.Duration, repeatCut bool) {
	f := cmd.Flags()
	f.Duration("retry-for", retryFor, "Ask a server that is away or restarts again for this long")
	f.Duration("longest-wait", longestWait, "Wait this long in all, for one call, when the server asks for it (Retry-After)")
	f.Bool("retry-cut", repeatCut, "Repeat a call whose answer stopped in its middle; the server may bill both")
}

// patience reads the flags of addPatienceFlags, where the command has them.
func patience(cmd *cobra.Command, o *llm.Options) {
	f := cmd.Flags()
	if f.Lookup("retry-for") == nil {
		return
	}
	o.RetryFor, _ = f.GetDuration("retry-for")
	o.LongestWait, _ = f.GetDuration("longest-wait")
	o.RepeatCut, _ = f.GetBool("retry-cut")
}

// omitFields takes the fields that --omit names out of the settings. A value that was
// not given becomes the neutral one.
func omitFields(cmd *cobra.Command, s *llm.Settings) {
	f := cmd.Flags()
	if f.Lookup("omit") == nil {
		return
	}
	s.Omit, _ = f.GetStringSlice("omit")
	if slices.Contains(s.Omit, "temperature") && !f.Changed("temperature") {
		s.Temperature = 1
	}
	if slices.Contains(s.Omit, "top_p") && !f.Changed("top-p") {
		s.TopP = 1
	}
}

// confirmRemoval says which files of earlier runs will be removed, and on a terminal asks
// whether they may be.
func confirmRemoval(cmd *cobra.Command, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "sample: %s will be removed once the server has answered\n", strings.Join(paths, ", "))
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil // --resume=false has said so
	}
	fmt.Fprint(cmd.ErrOrStderr(), "remove them? [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); err != nil || answer != "y" && answer != "yes" {
		return usagef("nothing was removed; without --resume=false sample goes on with what is there")
	}
	return nil
}
