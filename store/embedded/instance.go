package embedded

import (
	"net/url"
	"strings"
	"sync"
)

// Instance is one user's hold on the running database. PostgreSQL runs at least until Close.
type Instance struct {
	cfg   Config
	leave func() error
	once  sync.Once
	err   error
}

// AdminDSN returns the connection string of the superuser, for migrations and maintenance.
func (in *Instance) AdminDSN(dbname string) string { return in.DSN(superuser, dbname) }

// DSN returns the connection string of a role. There is no password: the socket's directory is the
// guard. More parameters can be appended after "&".
func (in *Instance) DSN(user, dbname string) string {
	host := strings.ReplaceAll(url.QueryEscape(in.cfg.socketDir()), "+", "%20") // libpq knows no "+"
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + dbname, RawQuery: "host=" + host + "&port=5432"}
	return u.String()
}

// Close gives up the hold. Without users PostgreSQL stops after Config.Linger. Closing twice is fine.
func (in *Instance) Close() error {
	in.once.Do(func() { in.err = in.leave() })
	return in.err
}

const superuser = "postgres"
