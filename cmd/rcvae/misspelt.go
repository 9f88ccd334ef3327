package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rcvae/internal/spelling"
)

// farthest is the distance up to which a name is taken for a misspelt one.
const farthest = 2

// variables are those of the environment that stand for no flag; the last is of the tests.
var variables = []string{"RCVAE_UPSTREAM_KEY", "RCVAE_EMBED_KEY", "RCVAE_KEYS", "RCVAE_KERNELS", "RCVAE_SHARED"}

// variableOf is the environment variable of a flag.
func variableOf(flag string) string {
	return "RCVAE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// flagError is the usage error of a flag, with the flag that may be meant.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := unknown.GetSpecifiedName()
		if nearest, d := spelling.Nearest(name, slices.Values(flagNames(cmd))); nearest != "" && d <= farthest && len(name) > farthest {
			err = fmt.Errorf("%w; did you mean --%s?", err, nearest)
		}
	}
	return usageError{err}
}

// flagNames returns the names of the flags that a command takes.
func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// warnOfVariables says which variables of an environment look like that of a flag of some
// command and are none. Others may be another program's.
func warnOfVariables(cmd *cobra.Command, environment []string) {
	known := slices.Clone(variables)
	for _, name := range everyFlag(cmd.Root()) {
		known = append(known, variableOf(name))
	}
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "RCVAE_") || slices.Contains(known, name) {
			continue
		}
		if nearest, d := spelling.Nearest(name, slices.Values(known)); d <= farthest {
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: the environment variable %s names no flag and is not used; did you mean %s?\n", name, nearest)
		}
	}
}

// everyFlag returns the names of the flags of a command and of all below it.
func everyFlag(cmd *cobra.Command) []string {
	names := flagNames(cmd)
	for _, c := range cmd.Commands() {
		names = append(names, everyFlag(c)...)
	}
	return names
}
