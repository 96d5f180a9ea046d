package store

import (
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
)

// FieldVersions says in which version of a thing each of its fields changed last; of a
// field that is not in it, that it did not since the thing was made.
type FieldVersions map[string]int

// fieldVersions are those of the fields that change with a version.
func fieldVersions(before, after []tracker.Field, version int) json.RawMessage {
	v := FieldVersions{}
	for _, f := range tracker.ChangedFields(before, after) {
		v[f.Name] = version
	}
	return asJSON(v)
}

// ProjectVersions reads the versions of a project's fields.
func ProjectVersions(id uuid.UUID, into *FieldVersions) Query {
	return versionsIn("projects", id, into)
}

// SprintVersions reads the versions of a sprint's fields.
func SprintVersions(id uuid.UUID, into *FieldVersions) Query { return versionsIn("sprints", id, into) }

func versionsIn(table string, id uuid.UUID, into *FieldVersions) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select t.field_versions from `+table+` t where t.tenant_id = $1 and t.id = $2`, scope.Tenant, id).QueryRow(scalar(into))
	}
}
