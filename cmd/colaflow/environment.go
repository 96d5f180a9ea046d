package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "COLAFLOW_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readEnvironment gives every flag that is not on the command line the value of
// its variable. A list is separated by spaces.
func (p *program) readEnvironment(cmd *cobra.Command) error {
	var problems []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value := p.getenv(variable(f.Name))
		if f.Changed || value == "" || f.Name == "help" {
			return
		}
		values := []string{value}
		if strings.HasPrefix(f.Value.Type(), "string") && f.Value.Type() != "string" {
			values = strings.Fields(value)
		}
		for _, v := range values {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", variable(f.Name), err))
			}
		}
	})
	if len(problems) > 0 {
		return &usageError{errors.Join(problems...)}
	}
	return nil
}

// nameVariables makes --help show each flag's variable.
func nameVariables(cmd *cobra.Command) {
	name := func(f *pflag.Flag) { f.Usage += " [$" + variable(f.Name) + "]" }
	cmd.LocalNonPersistentFlags().VisitAll(name)
	cmd.PersistentFlags().VisitAll(name)
	for _, sub := range cmd.Commands() {
		nameVariables(sub)
	}
}
