package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// auditBegin is where the first checkpoint of a tenant begins.
var auditBegin = time.Unix(0, 0).UTC()

// checkpoint seals the rows of a tenant that were written in [from, upto).
type checkpoint struct {
	seq        int64
	from, upto time.Time
	rows       int
	contents   []byte // what entries reads
	digest     []byte // of contents and the rows' MACs
	previous   []byte
	sealedAt   time.Time
	mac        []byte
}

const checkpointColumns = `seq, from_at, upto, row_count, contents, digest, previous, sealed_at, mac`

func scanCheckpoint(row pgx.Rows, c *checkpoint) error {
	err := row.Scan(&c.seq, &c.from, &c.upto, &c.rows, &c.contents, &c.digest, &c.previous, &c.sealedAt, &c.mac)
	c.from, c.upto, c.sealedAt = c.from.UTC(), c.upto.UTC(), c.sealedAt.UTC()
	return err
}

// checkpoint returns the MAC of a tenant's checkpoint.
func (k auditKey) checkpoint(tenant tenancy.TenantID, c checkpoint) []byte {
	mac := k.begin("checkpoint")
	for n, part := range [][]byte{tenant[:], count(uint64(c.seq)), count(stamp(c.from)), count(stamp(c.upto)), count(uint64(c.rows)),
		c.contents, c.digest, c.previous, count(stamp(c.sealedAt))} {
		writePart(mac, n, part)
	}
	return mac.Sum(nil)
}

// sealed reports whether a checkpoint bears our MAC.
func (k auditKey) sealed(tenant tenancy.TenantID, c checkpoint) bool {
	return hmac.Equal(c.mac, k.checkpoint(tenant, c))
}

func count(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// entry is what a checkpoint knows of a row: enough to name one that is gone.
type entry struct {
	id      uuid.UUID
	written uint64 // microseconds
}

const entrySize = len(uuid.UUID{}) + 8

func (e entry) compare(other entry) int {
	if e.written != other.written {
		return int(int64(e.written) - int64(other.written))
	}
	return bytes.Compare(e.id[:], other.id[:])
}

func (e entry) time() time.Time { return time.UnixMicro(int64(e.written)).UTC() }

// entries reads the contents; bytes that are no whole entry are left out, and
// the checkpoint's MAC tells.
func (c checkpoint) entries() []entry {
	list := make([]entry, 0, len(c.contents)/entrySize)
	for part := range slices.Chunk(c.contents, entrySize) {
		if len(part) == entrySize {
			list = append(list, entry{uuid.UUID(part[:16]), binary.BigEndian.Uint64(part[16:])})
		}
	}
	return list
}

// sealing collects rows in order into a checkpoint.
type sealing struct {
	contents []byte
	digest   hash.Hash
	rows     int
}

func newSealing() *sealing { return &sealing{digest: sha256.New()} }

func (s *sealing) add(e entry, mac []byte) {
	s.contents = binary.BigEndian.AppendUint64(append(s.contents, e.id[:]...), e.written)
	writePart(s.digest, 0, s.contents[len(s.contents)-entrySize:])
	writePart(s.digest, 1, mac)
	s.rows++
}
