package store

import (
	"context"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Connect opens one connection outside any store, for operators' work. Its error
// is one sentence and does not repeat the DSN.
func Connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, connectError(err)
	}
	return conn, nil
}

// DSNFor returns the DSN of another role and database on the server that dsn
// names, with everything else as it was.
func DSNFor(dsn, role, password, database string) (string, error) {
	if !strings.Contains(dsn, "://") { // keyword=value, where the last one wins
		quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
		return dsn + " user='" + quote.Replace(role) + "' password='" + quote.Replace(password) +
			"' dbname='" + quote.Replace(database) + "'", nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errDSN
	}
	u.User, u.Path = url.UserPassword(role, password), "/"+database
	if password == "" {
		u.User = url.User(role)
	}
	query := u.Query()
	for _, name := range []string{"user", "password", "dbname"} {
		query.Del(name)
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // libpq knows no "+"
	return u.String(), nil
}

// DSNIn returns the DSN of another database on the server that dsn names, as the
// same role.
func DSNIn(dsn, database string) (string, error) {
	if !strings.Contains(dsn, "://") {
		return dsn + " dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(database) + "'", nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errDSN
	}
	u.Path = "/" + database
	return u.String(), nil
}
