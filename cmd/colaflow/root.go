package main

import (
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/tokens"
)

// root assembles the commands.
func (p *program) root() *cobra.Command {
	var level string
	root := &cobra.Command{
		Use:   "colaflow",
		Short: "Projects and issues for AI agents, over the Model Context Protocol",
		Long: `ColaFlow lets AI agents find, read, create and change a company's issues over the
Model Context Protocol (MCP). Many tenants share one PostgreSQL; each agent holds
a revocable token of one tenant and can reach nothing else.

Flags can also be given as environment variables, as --help shows: --public-url is
COLAFLOW_PUBLIC_URL. A flag wins over its variable.`,
		Example: `  colaflow demo                       # try it: a database of its own, two tenants, tokens
  colaflow serve --dsn postgres://... # run it on your PostgreSQL
  colaflow tenant create acme --name "Acme Corp" --owner ada@acme.com
  colaflow token create --tenant acme --name ci --owner ada@acme.com --preset reader`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.readEnvironment(cmd); err != nil {
				return err
			}
			return p.setLog(cmd, level)
		},
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.PersistentFlags().StringVar(&level, "log-level", "info", "least level that is logged: debug, info, warn or error")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usagef(cmd, "%w", err) })
	root.AddCommand(p.demoCommand(), p.serveCommand(), p.stdioCommand(), p.tenantCommand(), p.tokenCommand(), p.memberCommand(), p.ssoCommand(), p.pageCommand(), p.reportCommand(), p.auditCommand(), p.importCommand(), p.dbCommand(),
		p.configCommand(), p.backupCommand(), p.restoreCommand(), p.docsCommand(), p.versionCommand())
	nameVariables(root)
	return root
}

// group is a command that only holds others.
func group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(commands...)
	return cmd
}

// checkCommand refuses what is no command of a group before its flags are read: they
// are meant for the command, and --help would answer with the group's.
func checkCommand(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	cmd, rest, err := root.Find(args)
	if err != nil || !cmd.HasSubCommands() || len(rest) == 0 || strings.HasPrefix(rest[0], "-") || strings.HasPrefix(rest[0], cobra.ShellCompRequestCmd) {
		return nil // Execute says more
	}
	return noArguments(cmd, rest)
}

// noArguments refuses what a person may have meant as a subcommand.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return usagef(cmd, "%q is not a command of %q: %s", args[0], cmd.CommandPath(), suggestion(cmd, args[0]))
	}
	return usagef(cmd, "%q takes no arguments, but was given %q", cmd.CommandPath(), strings.Join(args, " "))
}

// suggestion names the commands of a group that are like a word, or else all.
func suggestion(group *cobra.Command, word string) string {
	group.SuggestionsMinimumDistance = 2
	if like := group.SuggestionsFor(word); len(like) > 0 {
		return "did you mean " + strings.Join(like, " or ") + "?"
	}
	var all []string
	for _, cmd := range group.Commands() {
		if cmd.IsAvailableCommand() {
			all = append(all, cmd.Name())
		}
	}
	return "it has " + strings.Join(all, ", ")
}

// oneArgument asks for exactly one, and says what it is.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef(cmd, "%q takes one argument, %s", cmd.CommandPath(), what)
		}
		return nil
	}
}

// setLog writes text where a person reads along, JSON otherwise. Standard output
// belongs to the answer, so the log goes to standard error.
func (p *program) setLog(cmd *cobra.Command, level string) error {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return usagef(cmd, "log level %q is not known: use debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: least, ReplaceAttr: tokens.RedactAttr}
	var handler slog.Handler = slog.NewJSONHandler(p.err, options)
	if isTerminal(p.err) {
		handler = slog.NewTextHandler(p.err, options)
	}
	p.log = slog.New(handler)
	return nil
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
