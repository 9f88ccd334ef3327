package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const defaultSettingsFile = "rcvae.yaml"

// applySettings fills every flag that was not given from the environment, else
// from the settings file. The file maps flag names to values, at the top level for
// all commands or below a command's name for that one:
//
//	embedder: minilm
//	train:
//	  epochs: 8
//	  pool: [a.jsonl.gz, b.jsonl.gz]
func applySettings(cmd *cobra.Command, env func(string) (string, bool)) error {
	if slices.Contains([]string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}, cmd.Name()) {
		return nil
	}
	file, err := readSettings(cmd)
	if err != nil {
		return err
	}
	if err := checkSettings(cmd.Root(), file); err != nil {
		return err
	}
	own := &settings{}
	if section := file.by[sectionOf(cmd).Name()]; section.flags != nil {
		own = section.flags
	}
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "config" || f.Name == "help" {
			return
		}
		name := variableOf(f.Name)
		if value, ok := env(name); ok {
			errs = append(errs, setFlag(cmd, f.Name, value, name))
			return
		}
		one, ok := own.by[f.Name]
		if !ok {
			one, ok = file.by[f.Name]
		}
		if !ok || one.flags != nil { // pool is a flag and a command
			return
		}
		errs = append(errs, useSetting(cmd, f, one, file.path))
	})
	if err := errors.Join(errs...); err != nil {
		return usageError{err}
	}
	return nil
}

// useSetting gives a flag what the file has for it.
func useSetting(cmd *cobra.Command, f *pflag.Flag, one setting, path string) error {
	source := fmt.Sprintf("%s:%d", path, one.line)
	if _, takesList := f.Value.(pflag.SliceValue); one.list && !takesList {
		return fmt.Errorf("%s: --%s takes one value and not a list", source, f.Name)
	}
	var errs []error
	for _, v := range one.values {
		errs = append(errs, setFlag(cmd, f.Name, v, source))
	}
	return errors.Join(errs...)
}

// sectionOf returns the command directly below the root that cmd belongs to.
func sectionOf(cmd *cobra.Command) *cobra.Command {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	return cmd
}

// hasFlag reports whether a command or one below it has the flag.
func hasFlag(cmd *cobra.Command, name string) bool {
	f := cmd.Flags().Lookup(name)
	return f != nil && f.Name == name || slices.ContainsFunc(cmd.Commands(), func(c *cobra.Command) bool { return hasFlag(c, name) })
}

// sourceOfFlag annotates a flag that was not given on the command line with where its
// value comes from.
const sourceOfFlag = "rcvae_source"

func setFlag(cmd *cobra.Command, name, value, source string) error {
	if err := cmd.Flags().Set(name, value); err != nil {
		return fmt.Errorf("%s: --%s: %w", source, name, err)
	}
	return cmd.Flags().SetAnnotation(name, sourceOfFlag, []string{source})
}

// flagSources says which flags have their values from settings or the environment, "" if
// none has: an error about a value is then not about what was typed.
func flagSources(cmd *cobra.Command) string {
	var parts []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if source := f.Annotations[sourceOfFlag]; len(source) > 0 {
			parts = append(parts, fmt.Sprintf("--%s=%s from %s", f.Name, f.Value, source[0]))
		}
	})
	return strings.Join(parts, ", ")
}

// checkSettings reports every key of the file that is neither a command nor a flag, and
// commands that hold no flags.
func checkSettings(root *cobra.Command, file *settings) error {
	commands := map[string]*cobra.Command{}
	for _, c := range root.Commands() {
		commands[c.Name()] = c
	}
	known := func(c *cobra.Command, key string) bool {
		return hasFlag(c, key) || root.PersistentFlags().Lookup(key) != nil
	}
	var unknown, errs []string
	for _, key := range file.keys {
		one := file.by[key]
		c, isCommand := commands[key]
		switch {
		case isCommand && one.flags != nil:
			for _, k := range one.flags.keys {
				if !known(c, k) {
					unknown = append(unknown, fmt.Sprintf("%s.%s in line %d", key, k, one.flags.by[k].line))
				}
			}
		case !known(root, key) && !isCommand:
			unknown = append(unknown, fmt.Sprintf("%s in line %d", key, one.line))
		case !known(root, key):
			errs = append(errs, fmt.Sprintf("%s:%d: %s is a command: write its flags below it, indented", file.path, one.line, key))
		case one.flags != nil:
			errs = append(errs, fmt.Sprintf("%s:%d: %s is a flag: it takes a value and no keys of its own", file.path, one.line, key))
		}
	}
	if len(unknown) > 0 {
		errs = append(errs, fmt.Sprintf("settings %s: unknown key %s; keys are flag names, or a command with its flag names below it", file.path, strings.Join(unknown, ", ")))
	}
	if len(errs) == 0 {
		return nil
	}
	return usageError{errors.New(strings.Join(errs, "\n"))}
}

// setFlags returns the flags that were set, but for some, as they would be typed.
func setFlags(cmd *cobra.Command, without ...string) []string {
	without = append(without, "quiet", "config")
	var flags []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(without, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			flags = append(flags, "--"+f.Name+"="+v)
		}
	})
	return flags
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
