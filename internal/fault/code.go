package fault

// Code is the stable, machine-readable name of an error. A code is never renamed and never reused;
// docs/reference/errors.md has one entry for each (a test checks the pairing).
type Code string

// Who is asking: the token.
const (
	TokenMissing       Code = "token_missing"
	TokenMalformed     Code = "token_malformed"
	TokenExpired       Code = "token_expired"
	TokenNotYetValid   Code = "token_not_yet_valid"
	TokenBadSignature  Code = "token_bad_signature"
	TokenAlgorithm     Code = "token_algorithm"
	TokenUnknownKey    Code = "token_unknown_key"
	TokenWrongAudience Code = "token_wrong_audience"
	TokenWrongIssuer   Code = "token_wrong_issuer"
	TokenBadClaims     Code = "token_bad_claims"
	SigningKeysDown    Code = "signing_keys_unavailable"
	UserRequired       Code = "user_required"
	SessionRevoked     Code = "session_revoked"
	APIKeyInvalid      Code = "api_key_invalid"
	PermissionDenied   Code = "permission_denied"
	OriginNotAllowed   Code = "origin_not_allowed"
	SealRejected       Code = "seal_rejected"
	SealExpired        Code = "seal_expired"
	UnsafeDatabaseRole Code = "unsafe_database_role"
	SealKeyUnavailable Code = "seal_key_unavailable"
)

// Signing in, under the names GoTrue gives them: clients of /auth/v1 compare these.
const (
	SignInOff               Code = "sign_in_off"
	InvalidCredentials      Code = "invalid_credentials"
	SignupDisabled          Code = "signup_disabled"
	InviteNotFound          Code = "invite_not_found"
	WeakPassword            Code = "weak_password"
	SamePassword            Code = "same_password"
	ValidationFailed        Code = "validation_failed"
	BadJSON                 Code = "bad_json"
	EmailExists             Code = "email_exists"
	EmailNotConfirmed       Code = "email_not_confirmed"
	UserNotFound            Code = "user_not_found"
	UserBanned              Code = "user_banned"
	NotAdmin                Code = "not_admin"
	OTPExpired              Code = "otp_expired"
	SessionNotFound         Code = "session_not_found"
	SessionExpired          Code = "session_expired"
	RefreshTokenNotFound    Code = "refresh_token_not_found"
	RefreshTokenAlreadyUsed Code = "refresh_token_already_used"
	OverRequestRateLimit    Code = "over_request_rate_limit"
)

// Which tenant: membership and the tenant's state.
const (
	UserUnknown             Code = "user_unknown"
	UserWithoutProfile      Code = "user_without_profile"
	UserWithoutOrganization Code = "user_without_organization"
	MembershipMissing       Code = "membership_missing"
	TenantNotFound          Code = "tenant_not_found"
	TenantReferenceInvalid  Code = "tenant_reference_invalid"
	TenantPending           Code = "tenant_pending"
	TenantSuspended         Code = "tenant_suspended"
	TenantArchived          Code = "tenant_archived"
	TenantUnconfigured      Code = "tenant_unconfigured"
	EntryRequired           Code = "entry_required"
)

// The request itself.
const (
	NotFound         Code = "not_found"
	MethodNotAllowed Code = "method_not_allowed"
	BodyTooLarge     Code = "body_too_large"
	URLTooLong       Code = "url_too_long"
	RowTooLarge      Code = "row_too_large"
	Invalid          Code = "invalid"
	Conflict         Code = "conflict"
	TenantOverLimit  Code = "tenant_over_limit"
	RequestCancelled Code = "request_cancelled"
	RequestTimeout   Code = "request_timeout"
	Internal         Code = "internal"
)

// Writing: what a change may not do.
const (
	StateConflict       Code = "state_conflict"
	LimitExceeded       Code = "limit_exceeded"
	InvitationInvalid   Code = "invitation_invalid"
	LastOwner           Code = "last_owner"
	AppendOnly          Code = "append_only"
	PreconditionFailed  Code = "precondition_failed"
	VersionNotReached   Code = "version_not_reached"
	IdempotencyMismatch Code = "idempotency_mismatch"
	PrerequisiteInvalid Code = "prerequisite_invalid"
)

// The database under us.
const (
	DatabaseUnavailable Code = "database_unavailable"
	PoolExhausted       Code = "pool_exhausted"
	StatementTimeout    Code = "statement_timeout"
	DatabaseFull        Code = "database_full"
	ReadOnly            Code = "read_only"
	AccessNotRecorded   Code = "access_not_recorded"
)

// Operating VITAL: configuration, the private server, installing and migrating.
const (
	Usage               Code = "usage"
	ConfigInvalid       Code = "config_invalid"
	PostgresNotFound    Code = "postgres_not_found"
	PostgresStart       Code = "postgres_start"
	DataDirInUse        Code = "data_dir_in_use"
	DataDirVersion      Code = "data_dir_version"
	DataDirUnusable     Code = "data_dir_unusable"
	ListenFailed        Code = "listen_failed"
	RoleSetup           Code = "role_setup"
	MigrationChanged    Code = "migration_changed"
	MigrationFailed     Code = "migration_failed"
	ObjectFailed        Code = "object_failed"
	SchemaBehind        Code = "schema_behind"
	SchemaAhead         Code = "schema_ahead"
	MigrationLocked     Code = "migration_locked"
	MigrationRefused    Code = "migration_refused"
	BackupFailed        Code = "backup_failed"
	ArchiveFailed       Code = "archive_failed"
	OutputFailed        Code = "output_failed"
	ArchiveInvalid      Code = "archive_invalid"
	KeyUnavailable      Code = "key_unavailable"
	KeyDamaged          Code = "key_damaged"
	KeyDestroyed        Code = "key_destroyed"
	ArchiveMismatch     Code = "archive_mismatch"
	UnsupportedPostgres Code = "postgres_unsupported"
	ExtensionMissing    Code = "extension_missing"
	FindingsFound       Code = "findings"
	CertificateInvalid  Code = "certificate_invalid"
	ServerUnreachable   Code = "server_unreachable"
)
