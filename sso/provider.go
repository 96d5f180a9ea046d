package sso

import (
	"context"
	"net/url"
)

// Provider is an identity provider that can be asked. Each protocol has one.
type Provider interface {
	// Begin returns the address at the provider that the browser goes to.
	Begin(ctx context.Context, a Attempt) (address string, err error)
	// Complete checks what came back of this attempt. Everything that does not hold
	// is a Problem.
	Complete(ctx context.Context, a Attempt, answer url.Values) (Identity, error)
	// Check asks the provider whatever can be asked without a person.
	Check(ctx context.Context) []Finding
}

// Finding is one result of testing a connection.
type Finding struct {
	Name   string `json:"name"` // what was looked at
	Level  Level  `json:"level"`
	Code   Code   `json:"code,omitempty"`
	Text   string `json:"text"`             // what was found
	Remedy string `json:"remedy,omitempty"` // what to do, unless it is fine
}

// Level says how good a finding is.
type Level string

// The levels. A connection with an error cannot work.
const (
	Fine    Level = "ok"
	Warning Level = "warning"
	Failed  Level = "error"
)

// fine is a finding with nothing to do about it.
func fine(name, text string) Finding {
	return Finding{Name: name, Level: Fine, Text: printable(text, maxDetail)}
}

// finding is an error as a finding.
func finding(name string, level Level, err error) Finding {
	f := Finding{Name: name, Level: level, Text: "It could not be tested.", Remedy: "Try again; the server's log says more."}
	if p := ProblemIn(err); p != nil {
		f.Code, f.Text, f.Remedy = p.Code, p.What, p.Remedy
		if p.Detail != "" {
			f.Text += " " + p.Detail
		}
	}
	return f
}
