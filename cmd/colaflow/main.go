// Command colaflow lets AI agents work on a company's projects and issues over
// the Model Context Protocol. This package wires the rooms of the house; each
// command is one file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// Exit codes. A usage error is one that --help would have prevented.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// program is what a run was given from outside. Commands take everything from
// here, so that tests start the real program.
type program struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	getenv func(string) string
	clock  func() time.Time
	log    *slog.Logger // set from the flags before a command runs
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer, getenv func(string) string) int {
	p := &program{in: in, out: out, err: errOut, getenv: getenv, clock: time.Now, log: slog.New(slog.DiscardHandler)}
	root := p.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := checkCommand(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(errOut, "colaflow: "+tokens.Redact(explain(err)))
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitError
}

// explain is an error as a person should read it: the sentence and the remedy
// of a tenancy.Error without its code, anything else as it is.
func explain(err error) string {
	var known *tenancy.Error
	if !errors.As(err, &known) {
		return err.Error()
	}
	return known.Sentence()
}

// usageError is a command line that does not make sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

// usagef returns a usageError that points to the command's help.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Errorf(format+"; see: %s --help", append(args, cmd.CommandPath())...)}
}
