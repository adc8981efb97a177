package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/pgtest"
)

// writeGrants lists "table role command column" for what roles may write; a delete has the column *.
const writeGrants = `
select c.relname || ' ' || r || ' ' || cmd || ' ' || a.attname
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
cross join unnest('{anon,authenticated,service_role}'::text[]) r
cross join unnest('{insert,update}'::text[]) cmd
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_column_privilege(r, c.oid, a.attnum, cmd)
union all
select c.relname || ' ' || r || ' delete *'
from pg_class c cross join unnest('{anon,authenticated,service_role}'::text[]) r
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege(r, c.oid, 'delete')`

// writePolicies lists "table role command who" of policies that let somebody write.
const writePolicies = `
select c.relname || ' ' || r.rolname || ' ' || cmd.name || ' ' || replace(p.polname, c.relname || '_' || cmd.name || '_', '')
from pg_policy p
join pg_class c on c.oid = p.polrelid and c.relnamespace = 'public'::regnamespace
join pg_roles r on r.oid = any (p.polroles)
join (values ('a', 'insert'), ('w', 'update'), ('d', 'delete'), ('*', 'everything')) as cmd (letter, name) on cmd.letter = p.polcmd::text`

// unaudited lists tables that somebody may write and whose every change leaves no audit row: no enabled
// row trigger without a condition covers insert, update and delete alike.
const unaudited = `
select c.relname::text
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  and exists (
    select from unnest('{authenticated,service_role}'::text[]) r
    where has_any_column_privilege(r, c.oid, 'insert') or has_any_column_privilege(r, c.oid, 'update') or has_table_privilege(r, c.oid, 'delete'))
  and coalesce((
    select bit_or(g.tgtype) from pg_trigger g
    where g.tgrelid = c.oid and g.tgenabled in ('O', 'A') and g.tgqual is null and g.tgattr = '' and g.tgtype & 3 = 1
      and g.tgfoid in ('vital.audit_change'::regproc, 'public.audit_organization_changes'::regproc)), 0::int2) & 28 <> 28
order by 1`

// rights are those of a table, by command.
func rights(o database.Ownership) map[string]database.Right {
	return map[string]database.Right{"insert": o.Insert, "update": o.Update, "delete": o.Delete}
}

// TestOwnership_GrantsAndPolicies generates from database.Owned what each role may write, and compares it
// with the catalog: every table, role, command and column.
func TestOwnership_GrantsAndPolicies(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	var tables, grants, policies []string
	for _, o := range database.Owned {
		tables = append(tables, o.Table)
		all := column[string](t, conn, "select attname::text from pg_attribute where attrelid = ('public.' || $1)::regclass and attnum > 0 and not attisdropped", o.Table)
		grant := func(role, command string, columns []string) {
			if command == "delete" {
				columns = []string{"*"}
			} else if columns == nil {
				columns = all
			}
			for _, c := range columns {
				grants = append(grants, strings.Join([]string{o.Table, role, command, c}, " "))
			}
		}
		for command, right := range rights(o) {
			if right.By != "" {
				grant("authenticated", command, right.Columns)
				policies = append(policies, strings.Join([]string{o.Table, "authenticated", command, right.By}, " "))
			}
		}
		for _, command := range o.Service {
			grant("service_role", command, nil)
		}
		for _, function := range o.Functions {
			require.True(t, one[bool](t, conn, "select exists (select from pg_proc where pronamespace = 'public'::regnamespace and proname = $1)", function), function)
		}
	}
	require.ElementsMatch(t, column[string](t, conn, "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"), tables)
	require.ElementsMatch(t, column[string](t, conn, writeGrants), grants)
	require.ElementsMatch(t, column[string](t, conn, writePolicies), policies)

	execute(t, conn, "grant update (email) on users to authenticated; create policy users_update_self on users for update to authenticated using (true)")
	require.Contains(t, column[string](t, conn, writeGrants), "users authenticated update email")
	require.Contains(t, column[string](t, conn, writePolicies), "users authenticated update self")
}

// TestOwnership_EveryWriteIsAudited holds that whatever somebody may write leaves an audit row, or that
// it is said why not.
func TestOwnership_EveryWriteIsAudited(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Connect(t)
	var excused []string
	for _, o := range database.Owned {
		if o.Unaudited != "" {
			excused = append(excused, o.Table)
		}
	}
	require.ElementsMatch(t, excused, column[string](t, conn, unaudited), "database/ownership.go says why, exactly where it must")
	execute(t, conn, `
		alter table tools disable trigger tools_audit;
		drop trigger agents_audit on agents;
		create trigger agents_audit after insert or update on agents for each row execute function vital.audit_change('tenant_id');
		drop trigger invitations_audit on invitations;
		create trigger invitations_audit after insert or update or delete on invitations for each row when (false) execute function vital.audit_change('tenant_id');
		create table fresh (id uuid); grant insert on fresh to authenticated`)
	require.ElementsMatch(t, append(excused, "tools", "agents", "invitations", "fresh"), column[string](t, conn, unaudited))
}

const ownershipMark = "<!-- written by make schema -->\n"

// TestReference_Ownership holds the table of docs/explanation/ownership.md to database.Owned.
func TestReference_Ownership(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("\n| table | owner | signed-in users may | `service_role` may | written through |\n| --- | --- | --- | --- | --- |\n")
	for _, o := range database.Owned {
		fmt.Fprintf(&b, "| `%s`%s | %s | %s | %s | %s |\n", o.Table, star(o), o.Owner, ownershipRights(o),
			dashed(strings.Join(o.Service, ", ")), dashed(codes(o.Functions)))
	}
	path := filepath.Join(repository(t), "docs", "explanation", "ownership.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	prose, table, found := strings.Cut(string(text), ownershipMark)
	require.True(t, found)
	if os.Getenv("VITAL_UPDATE") != "" {
		table = b.String()
		require.NoError(t, os.WriteFile(path, []byte(prose+ownershipMark+table), 0o644))
	}
	require.Equal(t, b.String(), table, "docs/explanation/ownership.md is behind: run `make schema`")
}

func ownershipRights(o database.Ownership) string {
	var parts []string
	for _, command := range []string{"insert", "update", "delete"} {
		right := rights(o)[command]
		if right.By == "" {
			continue
		}
		part := command + ": " + strings.ReplaceAll(right.By, "_", " ")
		if right.Columns != nil {
			part += " (" + codes(right.Columns) + ")"
		}
		parts = append(parts, part)
	}
	return dashed(strings.Join(parts, "; "))
}

func star(o database.Ownership) string {
	if o.Unaudited != "" {
		return " *"
	}
	return ""
}

func codes(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

func dashed(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
