package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"picora/media/av"
)

// version is the command that prints the version.
func (e *env) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `Prints the version of this program, of the Go release that it was built with, and
of the FFmpeg in it, with FFmpeg's configuration.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "picora %s (%s)\nFFmpeg %s\n  %s\n", Version(), info.GoVersion, av.Version(), av.Configuration())
			return err
		},
	}
}

// Version is the program's version: what the build said, else the commit.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}

// version is set by the build: -ldflags "-X picora/app/cli.version=v1.2.3".
var version string
