package database

// Placement says where a table of schema public lies once the data of tenants is distributed by tenant. Tables that
// stand in no list are an application's own: distributed where they have a tenant column, copied everywhere where not.
// Schema vital stays where it is as a whole: versions, audit heads and jobs belong to one transaction with the context.
var (
	// Distributed hold what tenants do all day: they grow with use.
	Distributed = []string{
		"agents", "chat_sessions", "jobs_to_be_done", "knowledge", "personas", "prompts", "query_performance", "tool_usage_log",
	}
	// OnCoordinator hold what a context is made of, and what is written with it: a write there raises a version and
	// notifies, which no transaction over several servers can commit.
	OnCoordinator = []string{
		"access_records", "break_glass", "feature_flag_changes", "feature_flag_evaluators", "feature_flag_versions", "feature_flags",
		"invitations", "organization_audit_log", "organizations", "profiles", "schema_validation_rules", "tenant_agents", "tenant_apps",
		"tenant_configurations", "tenant_feature_flag_changes", "tenant_feature_flag_usage", "tenant_feature_flag_versions",
		"tenant_feature_flags", "tool_categories", "tools", "user_tenants", "users",
	}
)
