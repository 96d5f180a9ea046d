package store

import "github.com/jackc/pgx/v5"

// collect is the callback of a query whose rows become a slice. The slice is
// replaced, so that a repeated transaction does not see rows twice.
func collect[T any](into *[]T, scan func(pgx.Rows, *T) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		list := []T{}
		for rows.Next() {
			var v T
			if err := scan(rows, &v); err != nil {
				return err
			}
			list = append(list, v)
		}
		*into = list
		return rows.Err()
	}
}

// collectOne is collect for at most one row; without one, into becomes the zero value.
func collectOne[T any](into *T, scan func(pgx.Rows, *T) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var v T
		if rows.Next() {
			if err := scan(rows, &v); err != nil {
				return err
			}
		}
		*into = v
		return rows.Err()
	}
}

// scalar is the callback of a query with one row of one column.
func scalar[T any](into *T) func(pgx.Row) error {
	return func(row pgx.Row) error { return row.Scan(into) }
}
