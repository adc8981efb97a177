package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vital-db/vital/database"
)

// The operations, as /openapi.json has them.

func healthOperation(huma.Registry) *huma.Operation {
	return open("getHealth", "/healthz", "Whether the process is alive", "application/json")
}

func readyOperation(huma.Registry) *huma.Operation {
	return open("getReadiness", "/readyz", "Whether the database answers and has the schema this server needs", "application/json")
}

func metricsOperation(huma.Registry) *huma.Operation {
	return open("getMetrics", "/metrics", "Measurements in the Prometheus format", "text/plain")
}

func openAPIOperation(huma.Registry) *huma.Operation {
	return open("getOpenAPI", "/openapi.json", "This document", "application/json")
}

func docsOperation(huma.Registry) *huma.Operation {
	return open("getDocs", "/docs", "This document, for reading", "text/html")
}

func schemaOperation(huma.Registry) *huma.Operation {
	op := open("getSchema", "/schemas/{name}", "A JSON Schema (2020-12) of what this API takes, and of what reports are", "application/schema+json")
	op.Parameters = []*huma.Param{{Name: "name", In: "path", Required: true, Description: "As tenant_configuration.json", Schema: text()}}
	return op
}

// open is a route anybody may read.
func open(id, path, summary, kind string) *huma.Operation {
	return &huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"operations"},
		Responses: map[string]*huma.Response{"200": {Description: "As asked", Content: map[string]*huma.MediaType{kind: {Schema: &huma.Schema{}}}}},
	}
}

func contextOperation(registry huma.Registry) *huma.Operation {
	answer := answers(registry, reflect.TypeFor[contextAnswer](), "The context", "ETag", "Vital-Version", "Server-Timing")
	membership := registry.Map()["ContextAnswer"].Properties["membership"] // null for a super admin from elsewhere
	registry.Map()["ContextAnswer"].Properties["membership"] = &huma.Schema{OneOf: []*huma.Schema{{Ref: membership.Ref}, {Type: "null"}}}
	return &huma.Operation{
		OperationID: "getContext", Method: http.MethodGet, Path: "/v1/context", Tags: []string{"context"}, Security: bearerOnly,
		Summary:     "The caller's context",
		Description: "Who the caller is, which tenants are theirs, and how the one they act in is set up.",
		Parameters: []*huma.Param{
			{Name: "Vital-Tenant", In: "header", Description: "The tenant to act in, by id or slug; else the token's, else the user's default", Schema: text()},
			{Name: "If-None-Match", In: "header", Description: "ETag of an answer you have", Schema: text()},
			{Name: "Vital-Min-Version", In: "header", Description: "Vital-Version of an answer you have: nothing older is answered; 412 where there is nothing newer", Schema: text()},
		},
		Responses: map[string]*huma.Response{
			"200": answer,
			"304": {Description: "What you have is current"},
		},
	}
}

func contextStreamOperation(huma.Registry) *huma.Operation {
	op := open("getContextEvents", contextEventsPath, "Events of the caller's context", "text/event-stream")
	op.Tags, op.Security = []string{"context"}, bearerOnly
	op.Description = "One event at the beginning, unless Last-Event-ID is still true, and one after each change."
	op.Parameters = []*huma.Param{
		{Name: "Vital-Tenant", In: "header", Description: "The tenant, as of GET /v1/context", Schema: text()},
		{Name: "Last-Event-ID", In: "header", Description: "The state you know", Schema: text()},
		{Name: "token", In: "query", Description: "In place of Authorization: from the address that POST gives", Schema: text()},
		{Name: "since", In: "query", Description: "In place of Last-Event-ID", Schema: text()},
	}
	return op
}

func contextEventsOperation(registry huma.Registry) *huma.Operation {
	return &huma.Operation{
		OperationID: "postContextEvents", Method: http.MethodPost, Path: contextEventsPath, Tags: []string{"context"}, Security: bearerOnly,
		Summary: "Where the events of the caller's context are",
		Description: "The stream tells (event: context, data: {\"version\"}) whenever the context has changed: read it again. It ends with the access " +
			"token, the session, the membership or the tenant. The address holds a short-lived token for that stream alone.",
		Parameters: []*huma.Param{{Name: "Vital-Tenant", In: "header", Description: "The tenant, as of GET /v1/context", Schema: text()}},
		Responses:  map[string]*huma.Response{"200": answers(registry, reflect.TypeFor[eventsAddress](), "The stream's address")},
	}
}

func patchConfigOperation(registry huma.Registry) *huma.Operation {
	op := change(http.MethodPatch, "/api/tenants/{id}/config", "patchTenantConfig", "Change a tenant's configuration",
		"A JSON Merge Patch (RFC 7396): objects are merged, null removes, anything else replaces. The result must satisfy "+
			"/schemas/tenant_configuration.json; keys of your own go under custom. An empty patch changes nothing and answers with the row.")
	op.Parameters = append(op.Parameters, &huma.Param{Name: "If-Match", In: "header", Schema: text(),
		Description: "ETag of the configuration you read; 412 precondition_failed when it has changed since"})
	whole := published("tenant_configuration")
	registry.Map()["TenantConfiguration"] = &huma.Schema{Extensions: whole}
	patch := &huma.Schema{Extensions: map[string]any{
		"title": "TenantConfigurationPatch", "type": "object", "additionalProperties": false,
		"description": "Any members of TenantConfiguration, in part", "properties": partial(whole["properties"], false),
	}}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/merge-patch+json": {Schema: patch}, "application/json": {Schema: patch},
	}}
	op.Responses["200"] = answers(registry, reflect.TypeFor[configurationRow](), "The fresh row", "Vital-Version", "ETag", "Idempotent-Replayed")
	return op
}

func toggleFeatureOperation(registry huma.Registry) *huma.Operation {
	op := change(http.MethodPost, "/api/tenants/{id}/features/toggle", "toggleTenantFeature", "Set a feature flag for a tenant",
		"Switches a flag on or off for this tenant; enabled null goes back to the flag's default.")
	return withBody(registry, op, "feature_toggle", reflect.TypeFor[featureRow]())
}

func assignAgentOperation(registry huma.Registry) *huma.Operation {
	op := change(http.MethodPost, "/api/tenants/{id}/agents/assign", "assignTenantAgent", "Assign an agent to a tenant",
		"The tenant's own agents and the platform's, of the tiers in enabled_agent_tiers, up to limits.max_agents. "+
			"action unassign takes it away, and answers with tenant_id, agent_id and is_enabled false alone.")
	return withBody(registry, op, "agent_assignment", reflect.TypeFor[assignmentRow]())
}

func moveLifecycleOperation(registry huma.Registry) *huma.Operation {
	op := change(http.MethodPost, "/api/tenants/{id}/lifecycle", "moveTenantLifecycle", "Approve, activate, suspend or archive a tenant",
		"For super admins. A move the tenant's state does not allow is 409 state_conflict, which names those it does.")
	return withBody(registry, op, "lifecycle_move", reflect.TypeFor[organizationRow]())
}

func invalidateCacheOperation(registry huma.Registry) *huma.Operation {
	op := change(http.MethodPost, "/api/cache/invalidate", "invalidateCache", "Make caches read a tenant anew",
		"For super admins, where data was changed behind VITAL's back: raises the tenant's version.")
	op.Parameters = op.Parameters[1:] // the tenant stands in the body
	return withBody(registry, op, "cache_invalidation", reflect.TypeFor[invalidation]())
}

func exportTenantOperation(huma.Registry) *huma.Operation {
	op := change(http.MethodPost, "/api/tenants/{id}/export", "exportTenant", "Take out everything of a tenant",
		"For owners, and super admins acting for it. The answer is a zip file of the archive that docs/reference/archive.md describes, of one snapshot, sent while it is read; the manifest and its "+
			"signature come last. Whoever's connection is cut has no archive: the file does not open. One at a time for each tenant (409 conflict), six an hour (409 limit_exceeded), two at a time for each server (429).")
	op.Parameters = []*huma.Param{op.Parameters[0], {Name: "Vital-Reason", In: "header", Required: true, Description: "Why, for the tenant's audit log", Schema: text()}}
	op.Responses["200"] = &huma.Response{Description: "The archive", Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	return op
}

func exportPersonOperation(huma.Registry) *huma.Operation {
	op := change(http.MethodPost, "/api/me/export", "exportPerson", "Take out what is stored of oneself",
		"Account, profile, memberships, sessions, invitations, what one did, and the rows that name one: their contents as far as one may see them. A zip file as of exportTenant, with a manifest of kind person. "+
			"No password, token or hash is in it. Three an hour (409 limit_exceeded).")
	op.Tags = []string{"context"}
	op.Parameters = []*huma.Param{{Name: "Vital-Reason", In: "header", Description: "Why, for the audit logs", Schema: text()}}
	op.Responses["200"] = &huma.Response{Description: "The archive", Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	return op
}

var bearerOnly = []map[string][]string{{"bearer": {}}}

func text() *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

// change is what the writing operations have in common.
func change(method, path, id, summary, description string) *huma.Operation {
	return &huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Description: description,
		Tags: []string{"tenants"}, Security: bearerOnly, Responses: map[string]*huma.Response{},
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Description: "The tenant, by id or slug", Schema: text()},
			{Name: "Idempotency-Key", In: "header", Schema: text(),
				Description: "A key of your own for this request: repeated within a day, it is answered as the first time, with Idempotent-Replayed"},
			{Name: "Vital-Reason", In: "header", Description: "Why, for the audit log", Schema: text()},
		},
	}
}

// withBody adds a body of a published schema and the row that is answered.
func withBody(registry huma.Registry, op *huma.Operation, schema string, row reflect.Type) *huma.Operation {
	body := published(schema)
	name, _ := body["title"].(string)
	registry.Map()[name] = &huma.Schema{Extensions: body}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/" + name}},
	}}
	op.Responses["200"] = answers(registry, row, "The fresh row", "Vital-Version", "Idempotent-Replayed")
	return op
}

// answers is a JSON answer with its headers.
func answers(registry huma.Registry, of reflect.Type, description string, headers ...string) *huma.Response {
	response := &huma.Response{
		Description: description, Headers: map[string]*huma.Param{},
		Content: map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(of, true, of.Name())}},
	}
	for _, name := range headers {
		response.Headers[name] = &huma.Param{Schema: text()}
	}
	return response
}

// published is one of database/schemas, for use inside the document.
func published(name string) map[string]any {
	file, err := database.Schemas.ReadFile("schemas/" + name + ".json")
	var schema map[string]any
	if err == nil {
		err = json.Unmarshal(file, &schema)
	}
	if err != nil {
		panic(fmt.Errorf("read schema %s: %w", name, err)) // it is embedded, and a test reads it
	}
	delete(schema, "$schema")
	delete(schema, "$id") // references inside would count from it
	inline(schema, schema["$defs"])
	delete(schema, "$defs")
	return schema
}

// inline puts definitions where they are referred to, so that the schema can stand anywhere.
func inline(node, definitions any) {
	switch node := node.(type) {
	case map[string]any:
		for name, value := range node {
			if member, ok := value.(map[string]any); ok && name != "$defs" {
				if reference, ok := member["$ref"].(string); ok {
					defined, _ := definitions.(map[string]any)
					target, _ := defined[reference[len("#/$defs/"):]].(map[string]any)
					node[name] = maps.Clone(target)
				}
			}
			inline(node[name], definitions)
		}
	case []any:
		for _, value := range node {
			inline(value, definitions)
		}
	}
}

// partial makes each property of a schema optional in all its depth, and those within removable by null.
func partial(properties any, removable bool) map[string]any {
	all, _ := properties.(map[string]any)
	parts := map[string]any{}
	for name, value := range all {
		property, _ := value.(map[string]any)
		property = maps.Clone(property)
		if kind, ok := property["type"].(string); ok && removable {
			property["type"] = []any{kind, "null"}
		}
		if _, nested := property["properties"]; nested {
			property["properties"] = partial(property["properties"], true)
		}
		parts[name] = property
	}
	return parts
}

// What is answered, for the document alone: the database writes the bodies.

type contextAnswer struct {
	User         contextUser        `json:"user"`
	Organization OrganizationBrief  `json:"organization"`
	Membership   *contextMembership `json:"membership"`
	Tenants      []contextTenant    `json:"tenants" nullable:"false"`
	Config       contextConfig      `json:"config"`
	Version      string             `json:"version"`
}

type contextUser struct {
	ID       string  `json:"id" format:"uuid"`
	Email    string  `json:"email"`
	FullName *string `json:"full_name"`
	Role     string  `json:"role" enum:"user,admin,super_admin"`
}

type contextMembership struct {
	Role     string    `json:"role" enum:"owner,admin,member,viewer"`
	JoinedAt time.Time `json:"joined_at"`
}

type contextTenant struct {
	ID             string `json:"id" format:"uuid"`
	Name           string `json:"name"`
	Slug           string `json:"slug"`
	TenantType     string `json:"tenant_type"`
	LifecycleState string `json:"lifecycle_state" enum:"pending,active,suspended,archived"`
	Role           string `json:"role" enum:"owner,admin,member,viewer"`
}

type contextConfig struct {
	Configuration
	Apps     []contextApp     `json:"apps" nullable:"false"`
	Features []contextFeature `json:"features" nullable:"false"`
}

type contextApp struct {
	AppKey       string  `json:"app_key"`
	AppName      string  `json:"app_name"`
	AppRoute     string  `json:"app_route"`
	AppIcon      *string `json:"app_icon"`
	IsEnabled    bool    `json:"is_enabled"`
	DisplayOrder int     `json:"display_order"`
}

type contextFeature struct {
	FlagKey string         `json:"flag_key"`
	Enabled bool           `json:"enabled"`
	Config  map[string]any `json:"config"`
}

// Configuration is what a tenant has set up. It is exported for the document to see its fields where it
// is embedded; so is OrganizationBrief.
type Configuration struct {
	UIConfig           map[string]any `json:"ui_config"`
	EnabledFeatures    []string       `json:"enabled_features" nullable:"false"`
	EnabledApps        []string       `json:"enabled_apps" nullable:"false"`
	EnabledAgentTiers  []int          `json:"enabled_agent_tiers" nullable:"false"`
	Limits             map[string]any `json:"limits"`
	ComplianceSettings map[string]any `json:"compliance_settings"`
}

type configurationRow struct {
	ID       string `json:"id" format:"uuid"`
	TenantID string `json:"tenant_id" format:"uuid"`
	Configuration
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// OrganizationBrief is a tenant as its context has it.
type OrganizationBrief struct {
	ID                   string  `json:"id" format:"uuid"`
	Name                 string  `json:"name"`
	Slug                 string  `json:"slug"`
	TenantType           string  `json:"tenant_type"`
	TenantKey            string  `json:"tenant_key"`
	IsActive             bool    `json:"is_active"`
	LifecycleState       string  `json:"lifecycle_state" enum:"pending,active,suspended,archived"`
	SubscriptionTier     string  `json:"subscription_tier"`
	ParentOrganizationID *string `json:"parent_organization_id" format:"uuid"`
}

type organizationRow struct {
	OrganizationBrief
	Metadata   map[string]any `json:"metadata"`
	CreatedAt  time.Time      `json:"created_at"`
	UpdatedAt  time.Time      `json:"updated_at"`
	ApprovedAt *time.Time     `json:"approved_at"`
	ApprovedBy *string        `json:"approved_by" format:"uuid"`
}

type assignmentRow struct {
	ID            *string        `json:"id,omitempty" format:"uuid"`
	TenantID      string         `json:"tenant_id" format:"uuid"`
	AgentTenantID string         `json:"agent_tenant_id" format:"uuid" required:"false"`
	AgentID       string         `json:"agent_id" format:"uuid"`
	IsEnabled     bool           `json:"is_enabled"`
	DisplayOrder  int            `json:"display_order,omitempty"`
	Config        map[string]any `json:"config,omitempty"`
	AssignedBy    *string        `json:"assigned_by,omitempty" format:"uuid"`
	AssignedAt    time.Time      `json:"assigned_at,omitzero" required:"false"`
	CreatedAt     time.Time      `json:"created_at,omitzero" required:"false"`
	UpdatedAt     time.Time      `json:"updated_at,omitzero" required:"false"`
}

type featureRow struct {
	FlagKey    string         `json:"flag_key"`
	Enabled    bool           `json:"enabled"`
	Config     map[string]any `json:"config"`
	Overridden bool           `json:"overridden"`
}

type invalidation struct {
	TenantID string `json:"tenant_id" format:"uuid"`
	Key      string `json:"key"`
}
