package perf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/perf"
	"github.com/vital-db/vital/internal/pgtest"
)

func TestIndexes(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `create schema shop;
		create table shop.customer (tenant int, id int, primary key (tenant, id));
		create table shop."order" (id int primary key, tenant int, customer int, "Buyer" int references shop."order" (id), word text, note text,
			foreign key (tenant, customer) references shop.customer);
		create index by_word on shop."order" (word);
		create index by_word_again on shop."order" (word);
		create index by_word_note on shop."order" (word, note);
		create index by_word_down on shop."order" (word desc);
		create index by_word_pattern on shop."order" (word text_pattern_ops);
		create index by_word_some on shop."order" (word) where note is null;
		create unique index only_word on shop."order" (note);
		create index by_note on shop."order" (note);
		create index by_buyer_given on shop."order" ("Buyer") where "Buyer" > 3;
		create table shop.part (id int, owner int references shop."order" (id)) partition by range (id);
		create table shop.part_1 partition of shop.part for values from (0) to (10);
		create index by_id on shop.part (id)`)
	conn := d.Connect(t)
	find := func() map[string]perf.IndexFinding {
		report, err := perf.Indexes(t.Context(), conn, []string{"shop"})
		require.NoError(t, err)
		found := map[string]perf.IndexFinding{}
		for _, f := range report.Findings {
			require.NotContains(t, found, f.Object, "one finding each")
			found[f.Object] = f
		}
		return found
	}
	found := find()
	kinds := map[string]string{}
	for object, f := range found {
		kinds[object] = f.Kind
	}
	require.Equal(t, map[string]string{
		"order_tenant_customer_fkey": perf.ForeignKeyUnindexed,
		"order_Buyer_fkey":           perf.ForeignKeyUnindexed, // the partial index finds some rows only
		"part_owner_fkey":            perf.ForeignKeyUnindexed,
		"shop.by_word":               perf.IndexRedundant, // by_word_note begins with it
		"shop.by_word_again":         perf.IndexDuplicate,
		"shop.by_word_note":          perf.IndexUnused,
		"shop.by_word_down":          perf.IndexUnused, // another order, another operator class, another predicate: none does its work
		"shop.by_word_pattern":       perf.IndexUnused,
		"shop.by_word_some":          perf.IndexUnused,
		"shop.by_note":               perf.IndexDuplicate, // of a unique one
		"shop.by_id":                 perf.IndexUnused,
	}, kinds)
	require.Empty(t, found["part_owner_fkey"].Repair, "a partitioned table's index cannot be made concurrently")

	for _, f := range found { // what is said to mend it does
		for _, statement := range f.Repair {
			d.Exec(t, statement)
		}
	}
	d.Exec(t, `create index on shop.part (owner)`)
	for object, f := range find() {
		require.NotEqual(t, perf.ForeignKeyUnindexed, f.Kind, object)
		require.NotContains(t, []string{perf.IndexDuplicate, perf.IndexRedundant}, f.Kind, object)
	}

	d.Exec(t, `insert into shop."order" (id, word) values (1, 'x'), (2, 'x')`)
	_, err := conn.Exec(t.Context(), `create unique index concurrently broken on shop."order" (word)`)
	require.Error(t, err)
	broken := find()["shop.broken"]
	require.Equal(t, perf.IndexInvalid, broken.Kind)
	require.Equal(t, []string{"DROP INDEX CONCURRENTLY shop.broken;", `CREATE UNIQUE INDEX CONCURRENTLY broken ON shop."order" USING btree (word);`}, broken.Repair)
}

func TestIndexes_VitalsOwnAreAllThere(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	report, err := perf.Indexes(t.Context(), d.Connect(t), nil)
	require.NoError(t, err)
	require.NotEmpty(t, report.Indexes)
	for _, f := range report.Findings {
		require.Equal(t, perf.IndexUnused, f.Kind, "%s: %s", f.Object, f.Detail)
	}
}

func TestIndexes_OperatorsOnly(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	_, err := perf.Indexes(t.Context(), d.ConnectAPI(t), nil)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
	_, err = perf.Statements(t.Context(), d.ConnectAPI(t), 10)
	require.Equal(t, fault.PermissionDenied, fault.CodeOf(err))
}
