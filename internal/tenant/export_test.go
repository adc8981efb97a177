package tenant

// Versions is how a follower looks versions up.
var Versions = versions

// AuditContent and ParseAuditContent are how what is sealed of an audit row is written.
var (
	AuditContent      = auditContent
	ParseAuditContent = parseAuditContent
)
