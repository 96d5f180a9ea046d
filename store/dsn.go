package store

import (
	"errors"
	"net/url"
	"strings"
)

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
		return "", errors.New("the DSN is not valid; use the form postgres://user:password@host:5432/database")
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
