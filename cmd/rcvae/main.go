// Command rcvae trains a conditional variational autoencoder on embeddings of
// solved problems and uses it to pick the right one among several solutions that
// a language model wrote for the same question.
//
// Start with
//
//	rcvae demo
//
// which trains and evaluates on bundled samples, offline, in under a minute.
// Results go to standard output, progress and logs to standard error. The exit
// code is 0 for success, 1 for a failure and 2 for wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"rcvae/cvae"
	"rcvae/dataset/foreign"
	"rcvae/grade"
	"rcvae/internal/gemm"
	"rcvae/selector"
)

// Exit codes of the command-line contract.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// Set by the linker; see the Makefile and .goreleaser.yaml. built is the commit's time.
var version, commit, built = "", "unknown", ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends a step that does not look at the context
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if notice := gemm.Notice(); notice != "" {
		fmt.Fprintf(stderr, "warning: %s\n", notice)
	}
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errLogged) {
		return exitFailure
	}
	fmt.Fprintf(stderr, "rcvae: %v\n", err)
	if isUsage(err) {
		if sources := flagSources(cmd); sources != "" {
			fmt.Fprintf(stderr, "Not typed: %s.\n", sources)
		}
		fmt.Fprintf(stderr, "Run '%s --help' for usage.\n", cmd.CommandPath())
		return exitUsage
	}
	return exitFailure
}

// usageError marks an error as the caller's: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func isUsage(err error) bool {
	_, ok := errors.AsType[usageError](err)
	// cobra has no type for these two.
	return ok || strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "required flag")
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "rcvae",
		Short: "Pick the right one of k solutions with a conditional VAE",
		Long: `rcvae picks the right one among several solutions that a language model wrote for
the same question, without a second large model: a small conditional variational
autoencoder, trained on embeddings of solved problems, scores each candidate.

First steps:
  rcvae demo                                    see it work, offline, in under a minute
  rcvae pool import --from FORMAT FILE --out POOL   read another tool's samples
  rcvae train --pool POOL --out model.rcvae     train on graded samples of your model
  rcvae eval --pool POOL --model model.rcvae    compare selection rules on a pool
  rcvae report result.json --out report.html    draw the comparison as a page
  rcvae select --model model.rcvae --question TEXT --candidates FILE

Settings: flags beat environment variables (RCVAE_EPOCHS for --epochs, dashes as
underscores) beat the file rcvae.yaml in the working folder.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       commit,
	}
	root.PersistentFlags().String("config", "", "settings `FILE` (default: rcvae.yaml, if there is one)")
	root.PersistentFlags().Bool("quiet", false, "no progress on standard error")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		warnOfVariables(cmd, os.Environ())
		return applySettings(cmd, os.LookupEnv)
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newDemo(), newTrain(), newSample(), newPool(), newEval(), newReport(), newSelect(), newServe(), newEmbed(), newCache(), newGrade(), newInspect(), newEmbedders(), newReproduce(), newVersion(),
	)
	root.AddCommand(queueCommands()...)
	completeValues(root)
	return root
}

// completeValues tells the shell what the flags with a closed set of values take.
func completeValues(root *cobra.Command) {
	var rules []string
	for _, r := range selector.Rules() {
		rules = append(rules, r.Name())
	}
	for flag, values := range map[string][]string{
		"objective": cvae.Objectives(),
		"selector":  rules,
		"embedder":  embedderNames(),
		"grader":    append([]string{graderFromPool}, grade.Kinds()...),
		"from":      foreign.Formats(),
	} {
		for _, c := range slices.Concat(root.Commands(), poolCommands(root)) {
			if c.Flags().Lookup(flag) == nil {
				continue
			}
			complete := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
			if err := c.RegisterFlagCompletionFunc(flag, complete); err != nil {
				panic(err) // the flag was just looked up
			}
		}
	}
}

// poolCommands are the commands below 'rcvae pool'.
func poolCommands(root *cobra.Command) []*cobra.Command {
	pool, _, err := root.Find([]string{"pool"})
	if err != nil {
		panic(err) // it was just added
	}
	return pool.Commands()
}

// noArgs rejects positional arguments as a usage error.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument, got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// commandLine returns how the program was called, for provenance: the flags that
// were set but for some, in a stable order, without the program's path.
func commandLine(cmd *cobra.Command, without ...string) string {
	parts := append([]string{cmd.CommandPath()}, setFlags(cmd, without...)...)
	return strings.Join(parts, " ")
}
