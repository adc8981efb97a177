package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/archive"
)

// platformID is the tenant of the platform, whose audit log tells of erasures.
const platformID = "00000000-0000-0000-0000-000000000001"

// lifeRecords are what no restore takes back, lifeWritten what the load writes, or is written of it.
var (
	lifeRecords = map[string]bool{
		"public.organization_audit_log": true, "public.tenant_feature_flag_versions": true,
	}
	lifeWritten = map[string]bool{"public.agents": true, "public.organization_audit_log": true}
	lifeUnowned = map[string]bool{"public.query_performance": true}
)

// lifeTable is a table whose rows are summed: whose they are, and which columns do not count.
type lifeTable struct {
	archive.Table
	owner   string
	ignored []string
}

// place is a table and whose of its rows: a tenant's, a user's, or everybody's.
type place struct{ table, owner string }

// sums are how many rows there are at a place, and a sum over what is in them.
type sums map[place]string

// lifeTables are all tables with rows of tenants and users, and those that all share.
func (s *lifecycleStage) lifeTables(ctx context.Context) (tables []lifeTable, err error) {
	err = pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
		found, shared, err := archive.Scope(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range found {
			one := lifeTable{Table: t, owner: "t.id::text", ignored: []string{}} // an account is its user's
			if t.TenantColumn != "" {
				one.owner = "t." + pgx.Identifier{t.TenantColumn}.Sanitize() + "::text"
			}
			if t.Name == "tenant_feature_flags" {
				one.ignored = []string{"version"} // one that is put back is a new version
			}
			tables = append(tables, one)
		}
		for _, name := range shared {
			schema, table, _ := strings.Cut(name, ".")
			tables = append(tables, lifeTable{Table: archive.Table{Schema: schema, Name: table}, owner: "''", ignored: []string{}})
		}
		return nil
	})
	return append(tables, lifeTable{Table: archive.Table{Schema: "auth", Name: "users"}, owner: "t.id::text", ignored: []string{}}), err
}

// sum adds up the rows of all tables, or of one tenant's.
func (s *lifecycleStage) sum(ctx context.Context, query string, args ...any) (sums, error) {
	all := sums{}
	for _, t := range s.tables {
		if len(args) > 0 && t.TenantColumn == "" {
			continue
		}
		statement := strings.NewReplacer("{table}", pgx.Identifier{t.Schema, t.Name}.Sanitize(), "{owner}", t.owner).Replace(lifecycleQueries.Get(query))
		rows, err := s.conn.Query(ctx, statement, append([]any{t.ignored}, args...)...)
		if err != nil {
			return nil, fmt.Errorf("sum %s: %w", t, err)
		}
		var owner, sum string
		var count int64
		if _, err := pgx.ForEachRow(rows, []any{&owner, &count, &sum}, func() error {
			all[place{t.String(), owner}] = fmt.Sprintf("%d rows %s", count, sum)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("sum %s: %w", t, err)
		}
	}
	return all, nil
}

// differences are the places that count and are not as they were.
func (was sums) differences(now sums, counts func(table, owner string) bool) (wrong []string) {
	for at, sum := range was {
		if counts(at.table, at.owner) && now[at] != sum {
			wrong = append(wrong, fmt.Sprintf("%s of %s: %s, was %s", at.table, at.owner, now[at], sum))
		}
	}
	for at, sum := range now {
		if _, known := was[at]; !known && counts(at.table, at.owner) {
			wrong = append(wrong, fmt.Sprintf("%s of %s: %s, was nothing", at.table, at.owner, sum))
		}
	}
	slices.Sort(wrong)
	return wrong
}
