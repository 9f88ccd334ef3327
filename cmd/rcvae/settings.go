package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
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
	settings, path, err := readSettings(cmd)
	if err != nil {
		return err
	}
	if err := checkSettings(cmd.Root(), settings, path); err != nil {
		return err
	}
	own, _ := settings[sectionOf(cmd).Name()].(map[string]any)
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "config" || f.Name == "help" {
			return
		}
		name := "RCVAE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := env(name); ok {
			errs = append(errs, setFlag(cmd, f.Name, value, name))
			return
		}
		value, ok := own[f.Name]
		if !ok {
			value, ok = settings[f.Name]
		}
		if _, section := value.(map[string]any); !ok || section { // pool is a flag and a command
			return
		}
		for _, v := range settingValues(value) {
			errs = append(errs, setFlag(cmd, f.Name, v, path))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return usageError{err}
	}
	return nil
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
	return cmd.Flags().Lookup(name) != nil || slices.ContainsFunc(cmd.Commands(), func(c *cobra.Command) bool { return hasFlag(c, name) })
}

func setFlag(cmd *cobra.Command, name, value, source string) error {
	if err := cmd.Flags().Set(name, value); err != nil {
		return fmt.Errorf("%s: --%s: %w", source, name, err)
	}
	return nil
}

func settingValues(value any) []string {
	list, ok := value.([]any)
	if !ok {
		return []string{fmt.Sprint(value)}
	}
	values := make([]string, len(list))
	for i, v := range list {
		values[i] = fmt.Sprint(v)
	}
	return values
}

func readSettings(cmd *cobra.Command) (settings map[string]any, path string, err error) {
	path, err = cmd.Flags().GetString("config")
	if err != nil {
		return nil, "", err
	}
	given := path != ""
	if !given {
		path = defaultSettingsFile
	}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !given:
		return nil, path, nil
	case err != nil:
		return nil, path, fmt.Errorf("read settings: %w", err)
	}
	if err := yaml.Unmarshal(data, &settings); err != nil {
		return nil, path, fmt.Errorf("read settings %s: %s", path, firstLine(err.Error()))
	}
	return settings, path, nil
}

// checkSettings reports every key of the file that is neither a command nor a flag.
func checkSettings(root *cobra.Command, settings map[string]any, path string) error {
	commands := map[string]*cobra.Command{}
	for _, c := range root.Commands() {
		commands[c.Name()] = c
	}
	var unknown []string
	for key, value := range settings {
		if c, ok := commands[key]; ok {
			own, _ := value.(map[string]any)
			for k := range own {
				if !hasFlag(c, k) && root.PersistentFlags().Lookup(k) == nil {
					unknown = append(unknown, key+"."+k)
				}
			}
			continue
		}
		if !hasFlag(root, key) && root.PersistentFlags().Lookup(key) == nil {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return usagef("settings %s: unknown key %s; keys are flag names, or a command with its flag names below it", path, strings.Join(unknown, ", "))
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
