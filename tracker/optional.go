package tracker

import "encoding/json"

// Optional is a field of a change: left out (the zero value: keep), null
// (clear), or a value (set).
type Optional[T any] struct {
	Given bool
	Null  bool
	Value T
}

// Set returns an Optional that sets v.
func Set[T any](v T) Optional[T] { return Optional[T]{Given: true, Value: v} }

// Clear returns an Optional that clears its field.
func Clear[T any]() Optional[T] { return Optional[T]{Given: true, Null: true} }

// UnmarshalJSON tells null from a value; omission never reaches it.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	o.Given = true
	if string(data) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(data, &o.Value)
}

// IsZero makes `json:",omitzero"` leave out what was not given.
func (o Optional[T]) IsZero() bool { return !o.Given }

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.Given || o.Null {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}
