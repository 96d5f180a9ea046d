package store

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

func TestInterpret_LostConnection(t *testing.T) {
	t.Parallel()
	for _, err := range []error{io.ErrUnexpectedEOF, io.EOF, &net.OpError{Op: "read", Err: errors.New("reset")}, &pgconn.ConnectError{}} {
		wrapped := fmt.Errorf("commit: %w", err)
		require.Equal(t, tenancy.Unavailable, tenancy.CodeOf(interpret(wrapped)))
		var known *tenancy.Error
		require.ErrorAs(t, interpretCommit(wrapped), &known)
		require.Equal(t, tenancy.Unavailable, known.Code)
		require.NotContains(t, known.Next, "Nothing was changed")
		require.ErrorIs(t, interpretCommit(wrapped), err)
	}
	require.Equal(t, tenancy.Internal, tenancy.CodeOf(interpret(errors.New("odd"))))
	require.NoError(t, interpretCommit(nil))
	conflict := &pgconn.PgError{Code: stateUnique}
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(interpretCommit(conflict)))
}
