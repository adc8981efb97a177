package database

// Exception is a table of schema public, or one constraint of it, that does not follow the rule of
// tenancy: a table has `tenant_id uuid not null` referencing organizations, its primary key starts with
// it, unique indexes carry it, and a foreign key to another tenant's kind of row carries that row's owner.
type Exception struct {
	Table      string
	Constraint string // "" when the table as a whole is not owned by a tenant
	Reason     string
}

// TenancyExceptions are all of them. One that no longer applies is an error, like one that is missing.
var TenancyExceptions = []Exception{
	{"organizations", "", "It is the tenant: its id is everybody else's tenant_id."},
	{"users", "", "A user may belong to several tenants; user_tenants says to which. Keyed by the account's id alone."},
	{"profiles", "", "One for each user, whichever tenants they belong to; its tenant_id grants nothing."},
	{"feature_flags", "", "Defined once for the whole platform; a tenant's own values are in tenant_feature_flags."},
	{"feature_flag_versions", "", "The history of feature_flags."},
	{"feature_flag_evaluators", "", "Rules that flags share, defined once for the whole platform like the flags themselves."},
	{"feature_flag_changes", "", "What is scheduled for feature_flags."},
	{"schema_validation_rules", "", "About the schema, which all tenants share."},
	{"organization_audit_log", "", "Its tenant column is organization_id, not null and first in the primary key."},
	{"invitations", "invitations_token_hash_key", "Accepting looks an invitation up by its token, before any tenant is known. " +
		"The hash of 256 random bits is no value another tenant could guess or meet by chance, so its uniqueness tells nothing."},
	{"access_records", "access_records_tenant_id_fkey", "There is none: records outlive what they speak of, and are written by reads, which must not lock the tenant's row."},
	{"query_performance", "query_performance_tenant_id_fkey", "There is none: records outlive what they speak of, and writing one must not lock the tenant's row."},
}
