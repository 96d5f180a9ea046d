package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/sso"
)

// docsCommand writes the pages that are made from the program itself.
func (p *program) docsCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:    "docs DIR",
		Short:  "Write the pages that are made from this program",
		Hidden: true,
		Args:   oneArgument("the directory of the pages"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for name, page := range map[string][]byte{"configuration.md": configurationPage(cmd.Root()), "tools.md": toolsPage(), "prompts.md": promptsPage(),
				filepath.Join("sso", "troubleshooting.md"): troubleshootingPage()} {
				file := filepath.Join(args[0], name)
				before, err := os.ReadFile(file)
				switch {
				case err == nil && bytes.Equal(before, page):
				case check:
					return fmt.Errorf("%s is not what this program makes of it; run: make generate", file)
				default:
					if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
						return fmt.Errorf("write documentation: %w", err)
					}
					if err := os.WriteFile(file, page, 0o644); err != nil {
						return fmt.Errorf("write documentation: %w", err)
					}
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing, fail if a page is out of date")
	return cmd
}

const generated = "<!-- Made by make generate from the program itself. Do not edit. -->\n\n"

// configurationPage lists every command with its flags and their variables.
func configurationPage(root *cobra.Command) []byte {
	var b bytes.Buffer
	b.WriteString(generated + "# Configuration\n\n" +
		"Flags can also be given as environment variables, but for those that are a person's word about one command; the flag wins. A list in a variable is separated by spaces.\n\n" +
		"Three secrets have no flag, because others could read it in the list of processes:\n\n" +
		"| variable | what it holds |\n| --- | --- |\n" +
		"| `" + masterKeyVariable + "` | The installation's master key, 64 hex digits: `openssl rand -hex 32`. " +
		"The embedded database makes its own in `" + masterKeyFile + "` in its data directory. |\n" +
		"| `" + tokenVariable + "` | The token of `colaflow stdio`. |\n" +
		"| `" + metricsTokenVariable + "` | What Prometheus must send as its bearer token at `--metrics-addr`. |\n\n" +
		"## All commands\n\n")
	writeFlags(&b, root.PersistentFlags())
	b.WriteString("## Commands that open a database\n\nWhich one: that of `--dsn`, else the embedded PostgreSQL in `--data`.\n\n")
	shared := &cobra.Command{}
	new(choice).addFlags(shared)
	writeFlags(&b, shared.Flags())
	var write func(*cobra.Command)
	write = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		if cmd.Runnable() && !cmd.HasSubCommands() {
			fmt.Fprintf(&b, "## %s\n\n%s.\n\n", strings.TrimSuffix(cmd.UseLine(), " [flags]"), cmd.Short)
			own := pflag.NewFlagSet(cmd.Name(), pflag.ContinueOnError)
			cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
				if common := shared.Flags().Lookup(f.Name); common == nil || !strings.HasPrefix(f.Usage, common.Usage) {
					own.AddFlag(f)
				}
			})
			writeFlags(&b, own)
		}
		for _, sub := range cmd.Commands() {
			write(sub)
		}
	}
	for _, cmd := range root.Commands() {
		write(cmd)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func writeFlags(b *bytes.Buffer, flags *pflag.FlagSet) {
	rows := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
			return
		}
		if rows++; rows == 1 {
			b.WriteString("| flag | variable | default | meaning |\n| --- | --- | --- | --- |\n")
		}
		usage, _, _ := strings.Cut(f.Usage, " [$")
		name := variable(f)
		if name != "" {
			name = "`" + name + "`"
		}
		fmt.Fprintf(b, "| `--%s` | %s | %s | %s |\n", f.Name, name, shownDefault(f), cell(usage))
	})
	if rows > 0 {
		b.WriteString("\n")
	}
}

func shownDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "[]", "false", "0":
		return ""
	default:
		return "`" + f.DefValue + "`"
	}
}

// toolsPage lists every tool with its arguments.
func toolsPage() []byte {
	var b bytes.Buffer
	b.WriteString(generated + "# Tools\n\n" +
		"What an agent can call. A tool that a token may not use is not listed to it, and one of another toolset than the default one only where the client " +
		"[asks for it](narrowing.md).\n\n" +
		"| tool | toolset | needs | kind | what it does |\n| --- | --- | --- | --- | --- |\n")
	tools := mcpserver.Catalogue()
	for _, t := range tools {
		fmt.Fprintf(&b, "| [`%s`](#%[1]s) | %s | %s | %s | %s |\n", t.Name, t.InToolset(), needed(t), kind(t), cell(t.Title))
	}
	for _, t := range tools {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", t.Name, t.Description)
		arguments := t.Arguments()
		if len(arguments) == 0 {
			continue
		}
		b.WriteString("\n| argument | type | meaning |\n| --- | --- | --- |\n")
		for _, a := range arguments {
			name := "`" + a.Name + "`"
			if a.Required {
				name += " (required)"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name, cell(a.Type), cell(a.Doc))
		}
	}
	return b.Bytes()
}

// promptsPage lists every prompt with its arguments.
func promptsPage() []byte {
	var b bytes.Buffer
	b.WriteString(generated + "# Prompts\n\n" +
		"What a person can pick in an agent's menu. A prompt brings the data that its task needs, as far as the token may see them, apart from the task and marked as data. " +
		"A prompt that is of no use to a token is not listed to it. Clients complete the arguments.\n\n" +
		"| prompt | needs | arguments | what it does |\n| --- | --- | --- | --- |\n")
	for _, p := range mcpserver.Prompts() {
		var arguments []string
		for _, a := range p.Arguments {
			text := "`" + a.Name + "`: " + a.Doc
			if !a.Required {
				text = "`" + a.Name + "` (optional): " + a.Doc
			}
			arguments = append(arguments, text)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", p.Name, p.Permission, cell(strings.Join(arguments, "; ")), cell(p.Description))
	}
	return b.Bytes()
}

// troubleshootingPage lists everything that can be wrong with a sign-in.
func troubleshootingPage() []byte {
	var b bytes.Buffer
	b.WriteString(generated + "# When people cannot sign in\n\n" +
		"The page that a person sees, `colaflow sso test` and the server's log name a code. Codes that speak of the provider come with a detail in the log and in the test.\n\n" +
		"| code | what happened | what to do |\n| --- | --- | --- |\n")
	for _, e := range sso.Explanations() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Code, cell(e.What), cell(e.Remedy))
	}
	return b.Bytes()
}

func needed(t mcpserver.Tool) string {
	if t.Permission == nil {
		return "any token"
	}
	return "`" + t.Permission.String() + "`"
}

func kind(t mcpserver.Tool) string {
	switch {
	case t.ReadOnly:
		return "reads"
	case t.Destructive:
		return "writes, may replace"
	default:
		return "writes"
	}
}

// cell keeps text from ending its table cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
}
