package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// auditColumns are what an audit row's MAC covers: the text of each column as
// PostgreSQL gives it back. Their order is part of every MAC, so a new column
// goes to the end; where it is null it does not count.
const auditColumns = `tenant_id::text, id::text, ` + auditStamp + `, kind, member_id::text, actor, token_id::text, token_name, client,
	method, tool, decision, rule, target, project_id::text, '\x' || encode(args_digest, 'hex'), args::text, changes::text, request_id,
	client_ip, duration_us::text, code, bytes::text, repeats::text`

const (
	auditStamp = `to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
	stampForm  = "2006-01-02T15:04:05.000000Z" // the same in Go
)

// auditNames name the columns of auditColumns.
func auditNames() []string {
	return strings.Fields(`tenant_id id at kind member_id actor token_id token_name client method tool decision rule target project_id
		args_digest args changes request_id client_ip duration_us code bytes repeats`)
}

// columns are the values of auditColumns before the row is in the database; nil
// is null.
func (r *AuditRow) columns() []*string {
	id, at, repeats := r.ID.String(), r.At.UTC().Format(stampForm), strconv.Itoa(r.Repeats)
	tenant := r.TenantID.String()
	return []*string{&tenant, &id, &at, &r.Kind, idText(r.MemberID), &r.Actor, idText(r.TokenID), notEmpty(r.TokenName), notEmpty(r.Client),
		&r.Method, notEmpty(r.Tool), &r.Decision, notEmpty(r.Rule), notEmpty(r.Target), idText(r.ProjectID), digestText(r.ArgsDigest),
		notEmpty(string(r.Args)), notEmpty(string(r.Changes)), notEmpty(r.RequestID), notEmpty(r.ClientIP), number(r.DurationUS),
		notEmpty(r.Code), number(int64(r.Bytes)), &repeats}
}

func notEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func idText(id *uuid.UUID) *string {
	if id == nil {
		return nil
	}
	return notEmpty(id.String())
}

func digestText(digest HexBytes) *string {
	if digest == nil {
		return nil
	}
	return notEmpty(digest.String())
}

func number(n int64) *string {
	if n == 0 {
		return nil
	}
	return notEmpty(strconv.FormatInt(n, 10))
}

// auditKey authenticates audit rows and checkpoints. Only processes with the
// master key have it: the database cannot make a row that passes.
type auditKey []byte

// row returns the MAC of a row with these columns.
func (k auditKey) row(columns []*string) []byte {
	mac := k.begin("row")
	for n, text := range columns {
		if text != nil {
			writePart(mac, n, []byte(*text))
		}
	}
	return mac.Sum(nil)
}

// begin starts a MAC of one kind of thing, so that none passes for another.
func (k auditKey) begin(kind string) hash.Hash {
	mac := hmac.New(sha256.New, k)
	writePart(mac, 0, []byte("colaflow audit "+kind))
	return mac
}

// writePart writes a value so that no two lists of values are the same bytes.
func writePart(to hash.Hash, place int, value []byte) {
	head := binary.BigEndian.AppendUint32([]byte{byte(place)}, uint32(len(value)))
	_, _ = to.Write(append(head, value...)) // a hash never fails
}

// encodeAudit writes rows as audit_append reads them, each with its MAC.
func (s *Store) encodeAudit(rows ...AuditRow) ([]byte, error) {
	names := auditNames()
	encoded := make([]map[string]string, len(rows))
	for n, row := range rows {
		columns := row.columns()
		encoded[n] = map[string]string{"mac": HexBytes(s.auditKey.row(columns)).String()}
		for i, text := range columns {
			if text != nil {
				encoded[n][names[i]] = *text
			}
		}
	}
	data, err := json.Marshal(encoded)
	if err != nil {
		return nil, fmt.Errorf("encode audit rows: %w", err)
	}
	return data, nil
}

// stamp is a time as checkpoints count it: microseconds since 1970.
func stamp(t time.Time) uint64 { return uint64(t.UnixMicro()) }
