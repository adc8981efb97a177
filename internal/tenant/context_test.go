package tenant_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func TestReadContext_OK(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	d.Exec(t, `
		insert into organizations (id, name, slug, tenant_type, tenant_key) values ('00000000-0000-0000-0000-00000000000a', 'A', 'a-co', 'digital_health', 'a');
		insert into users (id, organization_id, email) values ('10000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000a', 'a@x');
		insert into profiles (id, email, full_name) select id, email, email from users;
		insert into user_tenants (tenant_id, user_id, role) select organization_id, id, 'admin' from users`)
	db := d.Open(t, postgres.Config{})
	caller := identity.Caller{Role: identity.Authenticated, UserID: uuid.MustParse("10000000-0000-0000-0000-00000000000a")}
	for range 3 {
		got, err := tenant.ReadContext(context.Background(), db, caller, "")
		require.NoError(t, err)
		require.Equal(t, "00000000-0000-0000-0000-00000000000a", got.TenantID.String())
		require.True(t, json.Valid(got.Body))
	}
}
