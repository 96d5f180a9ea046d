// Package report computes the reports of a project from the history of its
// issues: pure functions, one file for each type, whose comment gives the formula
// and its source. It performs no I/O.
package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Report is an answer with everything that one needs to trust it: what was
// counted and how, of which time, and what was left out.
type Report struct {
	Type       Type           `json:"type"`
	Title      string         `json:"title"`
	Project    string         `json:"project"` // key, or keys separated by commas
	Sprint     string         `json:"sprint,omitempty"`
	From       string         `json:"from,omitempty"` // first day
	To         string         `json:"to,omitempty"`   // last day, included
	AsOf       time.Time      `json:"as_of"`
	Timezone   string         `json:"timezone"`
	Unit       Unit           `json:"unit"`
	Headline   string         `json:"headline"` // the answer in a sentence or two
	Summary    Figures        `json:"summary"`
	Excluded   map[string]int `json:"excluded,omitempty"` // what was not counted, by reason
	Warnings   []string       `json:"warnings,omitempty"` // about the quality of the data
	Definition string         `json:"definition"`
	Table      *Table         `json:"table,omitempty"`
	Series     *Series        `json:"series,omitempty"`
}

// Figure is one number of a summary.
type Figure struct {
	Name  string
	Value any
}

// Figures is a summary, written as an object in this order.
type Figures []Figure

// Get returns a figure by name, or nil.
func (f Figures) Get(name string) any {
	for _, figure := range f {
		if figure.Name == name {
			return figure.Value
		}
	}
	return nil
}

// MarshalJSON writes an object; numbers are rounded to two digits.
func (f Figures) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for n, figure := range f {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(figure.Name) + ":")
		data, err := json.Marshal(rounded(figure.Value))
		if err != nil {
			return nil, err
		}
		b.Write(data)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Table is the detail of a report: cells are texts, numbers or nil.
type Table struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	More    int      `json:"more,omitempty"` // rows that were left out
}

// MarshalJSON rounds numbers to two digits.
func (t Table) MarshalJSON() ([]byte, error) {
	rows := make([][]any, len(t.Rows))
	for n, row := range t.Rows {
		rows[n] = make([]any, len(row))
		for k, cell := range row {
			rows[n][k] = rounded(cell)
		}
	}
	type plain Table
	return json.Marshal(plain{t.Columns, rows, t.More})
}

// Series is what a chart shows: lines over the same x, which are days, weeks or names.
type Series struct {
	X     []string `json:"x"`
	Lines []Line   `json:"lines"`
}

// Line is one value for each x.
type Line struct {
	Name   string `json:"name"`
	Values Values `json:"values"`
}

// Line returns the values of a line by name, or nil.
func (s *Series) Line(name string) Values {
	for _, l := range s.Lines {
		if l.Name == name {
			return l.Values
		}
	}
	return nil
}

// Values are numbers; NaN means that there is none, and is written as null.
type Values []float64

// MarshalJSON writes numbers rounded to two digits, and null for NaN.
func (v Values) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for n, value := range v {
		if n > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(value) {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, round(value), 'f', -1, 64)
		}
	}
	return append(b, ']'), nil
}

func rounded(v any) any {
	f, ok := v.(float64)
	switch {
	case !ok:
		return v
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil
	}
	return round(f)
}

// round keeps two digits behind the point, and no negative zero.
func round(f float64) float64 { return math.Round(f*100)/100 + 0 }
