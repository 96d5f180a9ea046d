package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// execute runs a command line in this process.
func execute(t *testing.T, env map[string]string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &o, &e, func(name string) string { return env[name] })
	return code, o.String(), e.String()
}

func TestReadEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"COLAFLOW_TENANT": "acme", "COLAFLOW_ALLOW": "issues:read,search comments:*", "COLAFLOW_ONLY_PROJECTS": "WEB,API OPS",
		"COLAFLOW_SERVICE": "true", "COLAFLOW_NAME": "from the environment", "COLAFLOW_HELP": "true",
	}
	p := &program{getenv: func(name string) string { return env[name] }, out: io.Discard, err: io.Discard}
	cmd, rest, err := p.root().Find([]string{"token", "create"})
	require.NoError(t, err)
	require.Empty(t, rest)
	require.NoError(t, cmd.ParseFlags([]string{"--name", "from the flag"}))
	require.NoError(t, p.readEnvironment(cmd))
	got := map[string]string{}
	cmd.Flags().Visit(func(f *pflag.Flag) { got[f.Name] = f.Value.String() })
	require.Equal(t, map[string]string{
		"tenant": "acme", "allow": `["issues:read,search",comments:*]`, "only-projects": "[WEB,API,OPS]",
		"service": "true", "name": "from the flag",
	}, got)

	code, _, errOut := execute(t, map[string]string{"COLAFLOW_SERVICE": "perhaps"}, "token", "create")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errOut, "COLAFLOW_SERVICE: ")
}

// TestHelp reads every command's help: it teaches, and names each variable.
func TestHelp(t *testing.T) {
	t.Parallel()
	var check func(path []string, cmd *cobra.Command)
	check = func(path []string, cmd *cobra.Command) {
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		code, out, errOut := execute(t, nil, append(path, "--help")...)
		require.Equal(t, exitOK, code, path)
		require.Empty(t, errOut)
		require.NotEmpty(t, cmd.Short, path)
		require.Regexp(t, `[^.]$`, cmd.Short, path)
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				require.Contains(t, out, "--"+f.Name, path)
				require.Equal(t, variable(f) != "", strings.Contains(out, "[$"+variable(f)+"]"), path)
			}
		})
		for _, sub := range cmd.Commands() {
			check(append(append([]string{}, path...), sub.Name()), sub)
		}
	}
	check(nil, (&program{}).root())
}
