package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/store"
)

// release is set by the linker; go install leaves it to the module's version.
var release string

// version is how this build calls itself.
func version() string {
	built := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" {
		built = cmp.Or(info.Main.Version, built)
	}
	return cmp.Or(release, built)
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(p.out, "colaflow %s (schema %d, %s %s/%s)\n",
				version(), store.LatestVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
