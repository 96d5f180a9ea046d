package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// accessChannel carries changes of tokens, members and tenants. NOTIFY
// serializes commits, so nothing that happens often may use it.
const accessChannel = "colaflow_access"

// Notify tells every node, when the transaction commits, that a subject changed.
func Notify(subject tokens.Subject, id uuid.UUID, ended bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select pg_notify($1, $2)`, accessChannel, formatChange(tokens.Change{Subject: subject, Tenant: scope.Tenant, ID: id, Ended: ended}))
	}
}

func formatChange(c tokens.Change) string {
	verb := "changed"
	if c.Ended {
		verb = "ended"
	}
	return fmt.Sprintf("%s %s %s %s", c.Subject, c.Tenant, c.ID, verb)
}

func parseChange(payload string) (c tokens.Change, ok bool) {
	parts := strings.Split(payload, " ")
	if len(parts) != 4 {
		return c, false
	}
	tenant, err1 := uuid.Parse(parts[1])
	id, err2 := uuid.Parse(parts[2])
	c = tokens.Change{Subject: tokens.Subject(parts[0]), Tenant: tenant, ID: id, Ended: parts[3] == "ended"}
	known := c.Subject == tokens.SubjectToken || c.Subject == tokens.SubjectMember || c.Subject == tokens.SubjectTenant || c.Subject == tokens.SubjectSession
	return c, err1 == nil && err2 == nil && known && (c.Ended || parts[3] == "changed")
}

// errNotDelivered is a LISTEN that was accepted and never delivers.
var errNotDelivered = errors.New("heartbeat did not come back")

// Follow implements tokens.Feed over one direct connection, which also brings the
// words for FollowWork. It sends itself a
// heartbeat through the pool; a socket that no longer delivers is found out by
// the beat that does not come back, and replaced.
func (s *Store) Follow(ctx context.Context, changed func(tokens.Change), lost func(), healthy func(bool)) {
	up := false
	watch := func(ok bool) {
		up = up || ok
		healthy(ok)
	}
	for ctx.Err() == nil {
		err := s.followOnce(ctx, changed, lost, watch)
		healthy(false)
		switch {
		case ctx.Err() != nil:
		case !up && errors.Is(err, errNotDelivered):
			s.log.Warn("LISTEN is accepted but nothing is delivered, as through PgBouncer in transaction mode: give a direct DSN "+
				"with --listen-dsn (COLAFLOW_LISTEN_DSN); until then every token is checked in the database", "error", err)
		default:
			s.log.Warn("revocation feed lost; every token is checked in the database until it is back", "error", err)
		}
		if ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(s.heartbeat):
			}
		}
	}
}

func (s *Store) followOnce(ctx context.Context, changed func(tokens.Change), lost func(), healthy func(bool)) error {
	connecting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(connecting, s.listenDSN)
	if err != nil {
		return connectError(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(connecting)) }()
	if _, err := conn.Exec(connecting, "listen "+accessChannel+"; listen "+workChannel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	receive := func(n *pgconn.Notification) {
		if n.Channel == workChannel {
			s.tell(n.Payload)
			return
		}
		deliver(n.Payload, changed, lost)
	}
	beat := "beat " + tenancy.NewID().String()
	up := false
	for {
		if err := s.sendBeat(ctx, beat); err != nil {
			return err
		}
		if err := awaitBeat(ctx, conn, beat, 3*s.heartbeat, receive); err != nil {
			return err
		}
		if !up {
			up = true
			healthy(true)
		}
		if err := deliverFor(ctx, conn, s.heartbeat, receive); err != nil {
			return err
		}
	}
}

func (s *Store) sendBeat(ctx context.Context, beat string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*s.heartbeat)
	defer cancel()
	if _, err := s.pool.Exec(ctx, `select pg_notify($1, $2)`, accessChannel, beat); err != nil {
		return fmt.Errorf("send heartbeat: %w", err)
	}
	return nil
}

// awaitBeat delivers changes until the own heartbeat arrives, or fails in time.
func awaitBeat(ctx context.Context, conn *pgx.Conn, beat string, limit time.Duration, receive func(*pgconn.Notification)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", errNotDelivered, err)
		}
		if n.Payload == beat {
			return nil
		}
		receive(n)
	}
}

// deliverFor delivers changes for a while.
func deliverFor(ctx context.Context, conn *pgx.Conn, span time.Duration, receive func(*pgconn.Notification)) error {
	waiting, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(waiting)
		switch {
		case err == nil:
			receive(n)
		case waiting.Err() != nil && !conn.IsClosed():
			return ctx.Err()
		default:
			return fmt.Errorf("wait for changes: %w", err)
		}
	}
}

// deliver hands on one payload. What cannot be read counts as lost: at worst
// the cache is emptied.
func deliver(payload string, changed func(tokens.Change), lost func()) {
	if strings.HasPrefix(payload, "beat ") {
		return
	}
	if c, ok := parseChange(payload); ok {
		changed(c)
		return
	}
	lost()
}
