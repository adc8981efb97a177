package isolation

import "github.com/vital-db/vital/database"

// vitalAxioms are the helpers our policies call. A super admin acts in whichever tenant they name, so
// what is said of "my tenant" holds of them as operators.
var vitalAxioms = Axioms{
	Functions: map[string]Meaning{
		"public.get_user_tenant_id": MyTenant,
		"vital.writable_tenant_id":  MyTenant,
		"vital.overseen_tenant_id":  MyTenant,
		"vital.admin_tenant_id":     MyTenant,
		"vital.member_tenant_ids":   MyTenant,
		"vital.readable_tenant_ids": MyTenantOrShared,
		"vital.user_id":             MyUser,
		"vital.colleague_ids":       MyColleague,
		"public.is_super_admin":     Operator,
		"vital.is_operator":         Operator,
		"vital.super_admin_floor":   OperatorBound,
	},
	Shared: []string{"00000000-0000-0000-0000-000000000001"},
}

// vitalGrounds are the tables whose rows do not belong to the tenant in their tenant_id alone.
var vitalGrounds = map[string]Ground{
	"organizations":           {TenantColumn: "id"},
	"users":                   {UserColumn: "id", Colleagues: true},
	"profiles":                {UserColumn: "id"},
	"user_tenants":            {TenantColumn: "tenant_id", UserColumn: "user_id"},
	"organization_audit_log":  {TenantColumn: "organization_id"},
	"feature_flag_versions":   {},
	"feature_flag_changes":    {},
	"schema_validation_rules": {},
	"feature_flags":           {Global: reason("feature_flags")},
	"feature_flag_evaluators": {Global: reason("feature_flag_evaluators")},
}

// VitalGround is the ground of a table of our own schema public.
func VitalGround(table string) Ground {
	ground, special := vitalGrounds[table]
	if !special {
		ground.TenantColumn = "tenant_id"
	}
	ground.Axioms = vitalAxioms
	ground.Relation = "public." + table
	return ground
}

// reason is why a table is not a tenant's.
func reason(table string) string {
	for _, exception := range database.TenancyExceptions {
		if exception.Table == table && exception.Constraint == "" {
			return exception.Reason
		}
	}
	return ""
}
