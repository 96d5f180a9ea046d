package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// variable is the environment variable of a flag; empty if it has none.
func variable(f *pflag.Flag) string {
	if _, none := f.Annotations[noVariable]; none {
		return ""
	}
	return "COLAFLOW_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

const noVariable = "no variable"

// onlyHere takes the variables from flags that are a person's word about one command,
// or that would take what COLAFLOW_TOKEN says to stdio for their own.
func onlyHere(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		f := cmd.Flags().Lookup(name)
		f.Annotations = map[string][]string{noVariable: {}}
	}
}

// readEnvironment gives every flag that is not on the command line the value of
// its variable. A list is separated by spaces.
func (p *program) readEnvironment(cmd *cobra.Command) error {
	var problems []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || variable(f) == "" {
			return
		}
		value := p.getenv(variable(f))
		if value == "" {
			return
		}
		values := []string{value}
		if strings.HasPrefix(f.Value.Type(), "string") && f.Value.Type() != "string" {
			values = strings.Fields(value)
		}
		for _, v := range values {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", variable(f), err))
			}
		}
	})
	if len(problems) > 0 {
		return &usageError{errors.Join(problems...)}
	}
	return nil
}

// nameVariables makes --help show the variables of flags.
func nameVariables(cmd *cobra.Command) {
	name := func(f *pflag.Flag) {
		if variable(f) != "" {
			f.Usage += " [$" + variable(f) + "]"
		}
	}
	cmd.LocalNonPersistentFlags().VisitAll(name)
	cmd.PersistentFlags().VisitAll(name)
	for _, sub := range cmd.Commands() {
		nameVariables(sub)
	}
}
