package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/colaflow/colaflow/tracker/dataset"
)

// enter reads an opening bracket.
func enter(dec *json.Decoder, want json.Delim, what string) error {
	token, err := dec.Token()
	if err != nil {
		return broken(dec, what, err)
	}
	if token != want {
		return invalid(fmt.Sprintf("%s does not begin with %q.", what, want.String()), "Check that --format names the format of the file.")
	}
	return nil
}

// each reads an array one element at a time, so that a large file never is in
// memory whole.
func each[T any](dec *json.Decoder, what string, do func(where string, v T) error) error {
	if err := enter(dec, '[', "The list of "+what+"s"); err != nil {
		return err
	}
	for n := 1; dec.More(); n++ {
		where := fmt.Sprintf("%s record %d", what, n)
		var v T
		if err := dec.Decode(&v); err != nil {
			return broken(dec, where, err)
		}
		if err := do(where, v); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return broken(dec, "The list of "+what+"s", err)
}

// finish returns the dataset if nothing follows in the file.
func finish(dec *json.Decoder, d *dataset.Dataset) (*dataset.Dataset, error) {
	if _, err := dec.Token(); err != io.EOF {
		return nil, invalid(fmt.Sprintf("More data follows at byte %d, where the file should end.", dec.InputOffset()), "Import one export at a time.")
	}
	return d, nil
}

// broken says where a file is not what it should be; nil stays nil.
func broken(dec *json.Decoder, where string, err error) error {
	const next = "Export the file again; nothing was imported."
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		return invalid(fmt.Sprintf("%s: the field %q is a %s.", where, kind.Field, kind.Value), next)
	case errors.As(err, &syntax):
		return invalid(fmt.Sprintf("%s is not JSON: %s near byte %d.", where, syntax, dec.InputOffset()), next)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return invalid("The file ends in the middle of: "+where+".", next)
	default:
		return fmt.Errorf("read %s: %w", where, err)
	}
}
