package tracker

// Field is one field of a project or sprint, as text.
type Field struct{ Name, Value string }

// FieldChange is a field that two states of the same thing differ in.
type FieldChange struct{ Name, Before, After string }

// ChangedFields compares two lists of the same fields.
func ChangedFields(before, after []Field) (changes []FieldChange) {
	for n, f := range after {
		if f != before[n] {
			changes = append(changes, FieldChange{f.Name, before[n].Value, f.Value})
		}
	}
	return changes
}
