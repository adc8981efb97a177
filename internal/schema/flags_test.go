package schema_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/schema"
)

// TestUp_FlagsBecomeVersions: flags and overrides that were there before versions began are their first.
func TestUp_FlagsBecomeVersions(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t)
	before := copyFS(t, database.Migrations)
	for name := range before {
		if name >= "migrations/0010_version_flags.sql" {
			delete(before, name)
		}
	}
	m, err := schema.NewMigratorFrom(schema.Config{DatabaseURL: address}, before, fstest.MapFS{})
	require.NoError(t, err)
	_, err = m.Up(context.Background())
	require.NoError(t, err)

	conn := connect(t, address)
	for _, table := range []string{"feature_flags", "feature_flag_versions", "tenant_feature_flags", "tenant_feature_flag_versions"} {
		execute(t, conn, "alter table "+table+" enable row level security; alter table "+table+" force row level security")
	}
	execute(t, conn, `
		insert into feature_flags (flag_key, description) values ('a', 'first'), ('b', null);
		insert into tenant_feature_flags (tenant_id, feature_flag_id, variant, reason)
		select '00000000-0000-0000-0000-000000000001', id, 'x', 'trial' from feature_flags where flag_key = 'a'`)
	require.Equal(t, "0010_version_flags.sql", up(t, address).Migrations[0])
	require.Equal(t, []string{"a 1 first 1", "b 1  1"}, column[string](t, conn, `
		select concat_ws(' ', f.flag_key, v.version, coalesce(v.config ->> 'description', ''), v.config ->> 'version')
		from feature_flag_versions v join feature_flags f on f.id = v.feature_flag_id and f.version = v.version order by 1`))
	require.Equal(t, []string{"1 x trial"}, column[string](t, conn, "select concat_ws(' ', version, config ->> 'variant', reason) from tenant_feature_flag_versions"))
	execute(t, conn, "update feature_flags set description = 'second' where flag_key = 'a'; delete from tenant_feature_flags")
	require.Equal(t, 2, one[int](t, conn, "select max(version) from feature_flag_versions"))
	require.Equal(t, "null", one[string](t, conn, "select config::text from tenant_feature_flag_versions where version = 2"))
}
