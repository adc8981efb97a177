package database

// Owner is who answers for the rows of a table.
type Owner string

// The owners there are.
const (
	Platform Owner = "platform" // the operator: super admins and service_role
	Tenant   Owner = "tenant"   // the organization the row's tenant_id names
	User     Owner = "user"     // one user
	System   Owner = "VITAL"    // written by triggers and functions alone
)

// Right is what signed-in users (the role authenticated) may do with one command.
type Right struct {
	// By is who, as the policies' names end: super_admin, admin (of the tenant they act in, owners
	// included), member (owners and admins included, viewers not), self (the user the row is about); ""
	// for nobody.
	By string
	// Columns are those they may write; nil for every one.
	Columns []string
}

// Ownership says who owns a table of schema public and who may write what of it. anon writes nothing
// anywhere.
type Ownership struct {
	Table                  string
	Owner                  Owner
	Insert, Update, Delete Right
	// Service are the commands service_role has, on every column.
	Service []string
	// Functions are those of schema public through which else it is written.
	Functions []string
	// Unaudited says why a change leaves no audit row, or not always; "" where every change leaves one.
	Unaudited string
}

var (
	everyCommand = []string{"insert", "update", "delete"}
	admins       = Right{By: "admin"}
	members      = Right{By: "member"}
	superAdmins  = Right{By: "super_admin"}
	themselves   = Right{By: "self"}
)

const (
	workingData = "What users work with day by day: each row has its version and owner, and there are too many changes to chain."
	ownRecord   = "A record itself, only ever added to."
)

// Owned are all tables of schema public. Tests compare it with grants, policies and triggers.
var Owned = []Ownership{
	{
		Table: "organizations", Owner: Platform, Insert: superAdmins, Update: superAdmins, Service: everyCommand,
		Functions: []string{"create_tenant", "change_tenant_state", "set_parent_organization"},
	},
	{
		Table: "users", Owner: User, Service: everyCommand,
		Functions: []string{"set_default_tenant", "create_tenant", "accept_invitation", "remove_member"},
		Unaudited: "The account's copy in the product: the address is the sign-in service's, the default tenant the user's own choice.",
	},
	{
		Table: "profiles", Owner: User, Update: Right{"self", []string{"full_name", "avatar_url", "preferences"}}, Service: everyCommand,
		Unaudited: "A profile is its user's own business; giving, changing and taking the platform-wide role is audited.",
	},
	{
		Table: "user_tenants", Owner: Tenant, Service: everyCommand,
		Functions: []string{"create_tenant", "accept_invitation", "change_member_role", "remove_member"},
	},
	{
		Table: "invitations", Owner: Tenant, Service: everyCommand,
		Functions: []string{"invite_member", "accept_invitation", "revoke_invitation"},
	},
	{
		Table: "tenant_configurations", Owner: Tenant,
		Update: Right{"admin", []string{
			"ui_config", "enabled_features", "enabled_apps", "enabled_agent_tiers", "limits", "compliance_settings",
		}},
		Service: everyCommand, Functions: []string{"create_tenant", "clone_tenant_settings"},
	},
	{
		Table: "tenant_apps", Owner: Tenant, Insert: admins, Update: admins, Delete: admins, Service: everyCommand,
		Functions: []string{"create_tenant", "clone_tenant_settings"},
	},
	{
		Table: "feature_flags", Owner: Platform, Insert: superAdmins, Update: superAdmins, Delete: superAdmins, Service: everyCommand,
		Functions: []string{"set_feature_flag", "rollback_feature_flag"},
	},
	{Table: "feature_flag_versions", Owner: System},
	{
		Table: "feature_flag_evaluators", Owner: Platform, Insert: superAdmins, Update: superAdmins, Delete: superAdmins,
		Service: everyCommand,
	},
	{Table: "feature_flag_changes", Owner: Platform, Functions: []string{"schedule_feature_flag", "cancel_feature_flag_change"}},
	{
		Table: "tenant_feature_flags", Owner: Tenant, Insert: admins, Update: admins, Delete: admins, Service: everyCommand,
		Functions: []string{"set_tenant_feature", "toggle_tenant_feature", "rollback_tenant_feature", "clone_tenant_settings"},
	},
	{Table: "tenant_feature_flag_versions", Owner: System},
	{Table: "tenant_feature_flag_changes", Owner: Tenant, Functions: []string{"schedule_tenant_feature", "cancel_tenant_feature_change"}},
	{Table: "tenant_feature_flag_usage", Owner: System},
	{Table: "agents", Owner: Tenant, Insert: members, Update: members, Delete: members, Service: everyCommand},
	{
		Table: "tenant_agents", Owner: Tenant, Insert: admins, Update: admins, Delete: admins, Service: everyCommand,
		Functions: []string{"assign_agent", "unassign_agent"},
	},
	{Table: "tool_categories", Owner: Tenant, Insert: admins, Update: admins, Delete: admins, Service: everyCommand},
	{
		Table: "tools", Owner: Tenant, Insert: members, Update: members, Delete: members, Service: everyCommand,
		Functions: []string{"register_tool", "deprecate_tool"},
	},
	{Table: "prompts", Owner: Tenant, Insert: members, Update: members, Delete: members, Service: everyCommand, Unaudited: workingData},
	{Table: "knowledge", Owner: Tenant, Insert: members, Update: members, Delete: members, Service: everyCommand, Unaudited: workingData},
	{Table: "personas", Owner: Tenant, Insert: members, Update: members, Delete: members, Service: everyCommand, Unaudited: workingData},
	{Table: "jobs_to_be_done", Owner: Tenant, Insert: members, Update: members, Delete: members, Service: everyCommand, Unaudited: workingData},
	{
		Table: "chat_sessions", Owner: User, Insert: themselves, Update: themselves, Delete: themselves, Service: everyCommand,
		Unaudited: "Private to its user within the tenant: admins, who read the audit log, do not read along.",
	},
	{Table: "organization_audit_log", Owner: System},
	{Table: "access_records", Owner: System},
	{Table: "break_glass", Owner: Platform, Functions: []string{"enter_tenant", "leave_tenant"}},
	{
		Table: "tool_usage_log", Owner: Tenant, Insert: members, Service: []string{"insert", "delete"},
		Functions: []string{"record_tool_usage"}, Unaudited: ownRecord,
	},
	{
		Table: "query_performance", Owner: Platform, Insert: members, Service: []string{"insert"},
		Functions: []string{"log_query_performance"}, Unaudited: ownRecord,
	},
	{Table: "schema_validation_rules", Owner: Platform},
}
