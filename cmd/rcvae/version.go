package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show which build of rcvae this is",
		Long:    "Show the version, commit and time of the source, the Go release and the platform that this program was built with and for.",
		Example: "  rcvae version --json",
		Args:    noArgs,
		RunE:    runVersion,
	}
	cmd.Flags().Bool("json", false, "print JSON")
	return cmd
}

// buildRecord is the output of 'version --json'.
type buildRecord struct {
	Version  string `json:"version"` // of the module; "(devel)" when it was not fetched as a module
	Commit   string `json:"commit"`
	Time     string `json:"time,omitempty"` // of the commit, RFC 3339
	Modified bool   `json:"modified"`       // the source was not that of the commit
	Go       string `json:"go"`
	Platform string `json:"platform"` // GOOS/GOARCH
}

// newBuildRecord joins what the linker was told, in linked, with what the Go tool
// recorded. The linker wins: a build from an archive has no other.
func newBuildRecord(info *debug.BuildInfo, linked buildRecord) buildRecord {
	r := linked
	r.Go, r.Platform = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	if info == nil {
		info = &debug.BuildInfo{}
	}
	r.Version = cmp.Or(r.Version, info.Main.Version, "unknown")
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			if linked.Commit == "unknown" {
				r.Commit = s.Value
			}
		case "vcs.time":
			r.Time = cmp.Or(linked.Time, s.Value)
		case "vcs.modified":
			r.Modified = s.Value == "true"
		}
	}
	return r
}

func runVersion(cmd *cobra.Command, _ []string) error {
	info, _ := debug.ReadBuildInfo()
	r := newBuildRecord(info, buildRecord{Version: version, Commit: commit, Time: built})
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, r)
	}
	modified := ""
	if r.Modified {
		modified = ", modified"
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "rcvae %s (commit %s%s), %s, %s\n", r.Version, r.Commit, modified, r.Go, r.Platform)
	return err
}
