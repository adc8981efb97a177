package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

// stage brings what the archive has of the tables beside the tenant's rows, in temporary tables that end with the transaction.
func (p *plan) stage(ctx context.Context, tx pgx.Tx, a *Archive, tables []*staged, progress func(string, int, int)) error {
	if _, err := tx.Exec(ctx, fill(stageQueries.Get("LinesMake"))); err != nil {
		return refused(err, "temporary tables")
	}
	for i, s := range tables {
		if s.blank {
			continue
		}
		progress(s.String(), i+1, len(tables))
		if _, err := tx.Exec(ctx, fill(stageQueries.Get("LinesEmpty"))); err != nil {
			return fmt.Errorf("empty lines: %w", err)
		}
		if err := copyLines(ctx, tx, a, s.file); err != nil {
			return err
		}
		if err := p.fillThen(ctx, tx, s); err != nil {
			return err
		}
	}
	return nil
}

// findBlank finds the tables that had no rows then and have none now. No temporary tables are made for them: each is some two hundred changes to
// the catalog, of which all connections are told at the commit; told of more than 4,096 at once, they forget all they know of the catalog.
func (p *plan) findBlank(ctx context.Context, tx pgx.Tx, tables []*staged) error {
	for _, s := range tables {
		if s.file.Rows > 0 || s.TenantColumn == "" {
			continue
		}
		some, err := p.hasRows(ctx, tx, s)
		if err != nil {
			return err
		}
		s.blank = !some
	}
	return nil
}

func (p *plan) hasRows(ctx context.Context, tx pgx.Tx, s *staged) (some bool, err error) {
	if err := tx.QueryRow(ctx, s.fill(stageQueries.Get("HasRows")), p.tenant).Scan(&some); err != nil {
		return false, refused(err, s.String())
	}
	return some, nil
}

// fillThen makes rows of the lines. A row of anybody else's is refused, whoever vouches for the archive.
func (p *plan) fillThen(ctx context.Context, tx pgx.Tx, s *staged) error {
	for _, query := range []string{"ThenMake", "ThenFill"} {
		if _, err := tx.Exec(ctx, s.fill(stageQueries.Get(query))); err != nil {
			return refused(err, s.String())
		}
	}
	for _, column := range s.documents {
		if _, err := tx.Exec(ctx, s.fill(stageQueries.Get("ThenDocument"), "{column}", quote(column))); err != nil {
			return refused(err, s.String())
		}
	}
	if _, err := tx.Exec(ctx, s.fill(stageQueries.Get("ThenAnalyze"))); err != nil {
		return refused(err, s.String())
	}
	if s.TenantColumn == "" {
		return nil
	}
	var strangers int64
	if err := tx.QueryRow(ctx, s.fill(stageQueries.Get("ThenStrangers")), p.tenant).Scan(&strangers); err != nil {
		return refused(err, s.String())
	}
	if strangers > 0 {
		return fault.New(fault.ArchiveInvalid, "The archive has rows of "+s.String()+" that are another tenant's.", "It was not written by vital: do not trust it.")
	}
	return nil
}

// copyLines sends a table's lines to the database, as they are read.
func copyLines(ctx context.Context, tx pgx.Tx, a *Archive, file *File) error {
	reader, writer := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := a.Each(file, func(line []byte) error {
			_, err := writer.Write(append(line[:len(line):len(line)], '\n'))
			return err
		})
		_ = writer.CloseWithError(err) // it never fails; nil ends the lines
		read <- err
	}()
	var err error
	postgres.PaceOf(tx.Conn()).Work(ctx, func() {
		_, err = tx.Conn().PgConn().CopyFrom(ctx, reader, fill(stageQueries.Get("LinesCopy")))
	})
	_ = reader.CloseWithError(io.ErrClosedPipe) // where the database has ended it
	if reading := <-read; reading != nil && !errors.Is(reading, io.ErrClosedPipe) {
		return reading
	}
	if err != nil {
		return refused(err, file.String())
	}
	return nil
}

// fill puts names into a statement.
func fill(statement string, names ...string) string {
	return strings.NewReplacer(append(names, "{lines}", linesTable, "{ids}", idsTable)...).Replace(statement)
}

// fill puts the table's names into a statement, after those given.
func (s *staged) fill(statement string, names ...string) string {
	names = append(names, "{table}", s.quoted(), "{then}", s.then, "{doomed}", s.doomed, "{same_key}", equal("t", s.Key, "s", s.Key),
		"{key_of_doomed}", equal("p", s.Key, "d", s.Key), "{columns}", list("", s.columns), "{columns_of_s}", list("s", s.columns), "{keys_of_t}", list("t", s.Key))
	if s.TenantColumn != "" {
		names = append(names, "{tenant_column}", quote(s.TenantColumn))
	}
	if len(s.Key) > 0 {
		order := make([]string, len(s.Key))
		for i, key := range s.Key {
			order[i] = fmt.Sprintf("coalesce(t.%[1]s, s.%[1]s)", quote(key))
		}
		names = append(names, "{first_key}", quote(s.Key[0]), "{order}", strings.Join(order, ", "))
	}
	return fill(statement, names...)
}

// query is the statement of that name, or of the one for tables that have no primary key.
func (s *staged) query(name string) string {
	if len(s.Key) == 0 {
		name += "Unkeyed"
	}
	return s.fill(stageQueries.Get(name))
}

func (t Table) quoted() string { return pgx.Identifier{t.Schema, t.Name}.Sanitize() }

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// list is columns, each of that alias.
func list(alias string, columns []string) string {
	if alias != "" {
		alias += "."
	}
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = alias + quote(name)
	}
	return strings.Join(quoted, ", ")
}

// equal is the condition that columns of one alias are those of another.
func equal(alias string, columns []string, other string, others []string) string {
	conditions := make([]string, len(columns))
	for i, name := range columns {
		conditions[i] = alias + "." + quote(name) + " = " + other + "." + quote(others[i])
	}
	return strings.Join(conditions, " and ")
}

// arguments are those that the statement has places for, in order.
func arguments(statement string, all ...any) []any {
	for i := range all {
		if !strings.Contains(statement, fmt.Sprintf("$%d", i+1)) {
			return all[:i]
		}
	}
	return all
}

// refused turns what the database says into a fault that names no value of any row.
func refused(err error, what string) error {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return fmt.Errorf("%s: %w", what, err)
	}
	if own := postgres.OwnFault(said); own != nil {
		return own
	}
	at := what
	if said.ConstraintName != "" {
		at = fmt.Sprintf("%s (%s)", what, said.ConstraintName)
	}
	conflict := func(message, hint string) error { return fault.Wrap(err, fault.Conflict, message, hint) }
	switch {
	case said.Code == "23505":
		return conflict("A row of "+at+" has a value that must be unique and is taken by now. Nothing was changed.", "Free it first; --tables leaves a table out.")
	case said.Code == "23503":
		return conflict("Rows of "+at+" refer to rows that are not there, or are referred to. Nothing was changed.", "Name the tables that belong together with --tables, or none.")
	case said.Code[:2] == "23":
		return conflict("A row of "+at+" is no longer what the table takes. Nothing was changed.", "The schema has changed since the archive was made: mend that, or leave the table out with --tables.")
	case said.Code == "55P03", said.Code[:2] == "40":
		return conflict("Somebody else is writing rows of the tenant. Nothing was changed.", "Suspend the tenant first (vital tenant suspend), or try again.")
	case said.Code == "57014":
		return fault.Wrap(err, fault.RequestCancelled, "It was cancelled. Nothing was changed.", "Run it again.")
	case said.Code == "53100":
		return fault.Wrap(err, fault.DatabaseFull, "The database has no room left on its disk. Nothing was changed.", "Make room where it is, and run it again.")
	case said.Code[:2] == "57":
		return fault.Wrap(err, fault.DatabaseUnavailable, "The database ended the connection. Nothing was changed.", "Run it again once the database is there.")
	case said.Code == "42501":
		return fault.Wrap(err, fault.PermissionDenied, "This login may not do that to "+what+".", "It takes an operator's login: one that may write every row, and make temporary tables.")
	case said.Code[:2] == "22":
		return fault.Wrap(err, fault.ArchiveMismatch, "A row of the archive is not what "+what+" takes. Nothing was changed.", "Restore into a database of the archive's schema.")
	}
	return fmt.Errorf("%s: %w", what, err)
}
