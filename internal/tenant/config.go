package tenant

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
)

//go:embed config.sql
var configText string

var configQueries = database.ParseQueries(configText)

// configFields are the members of a configuration that can be changed; the rest of its row says whose
// it is and when it was changed.
var configFields = []string{"ui_config", "enabled_features", "enabled_apps", "enabled_agent_tiers", "limits", "compliance_settings"}

// ConfigPatch is a JSON Merge Patch (RFC 7396) of a tenant's configuration.
type ConfigPatch struct {
	Patch []byte
	// IfMatch holds when one of its entity tags is the configuration's: an If-Match header, "" for none.
	IfMatch string
}

// PatchConfig merges p into the tenant's configuration, checks the result against
// database/schemas/tenant_configuration.json, and answers with the fresh row. The row is locked from the
// read to the commit, so no change between them is lost.
//
// Errors: invalid with Faults, precondition_failed, and those of who may and which tenant.
func PatchConfig(ctx context.Context, db *postgres.DB, w Write, p ConfigPatch) (*Written, error) {
	patch, err := decodeObject(p.Patch)
	if err != nil {
		return nil, err
	}
	return w.run(ctx, db, steps{"ConfigPatch", mayAdminister, func(ctx context.Context, tx *postgres.Tx, tenant uuid.UUID) ([]byte, string, error) {
		row, err := p.apply(ctx, tx, tenant, patch)
		return row, etagOf(row), err
	}})
}

func (p ConfigPatch) apply(ctx context.Context, tx *postgres.Tx, tenant uuid.UUID, patch map[string]any) ([]byte, error) {
	var row []byte
	err := tx.QueryRow(ctx, configQueries.Get("ConfigLock"), tenant).Scan(&row)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.TenantUnconfigured, "This tenant has no configuration.",
			"Its row in tenant_configurations is missing; an operator can restore it (vital fix data).")
	}
	if err != nil {
		return nil, err
	}
	if p.IfMatch != "" && !namesETag(p.IfMatch, etagOf(row)) {
		return nil, fault.New(fault.PreconditionFailed, "The configuration has changed since you read it.",
			"Read it again, merge your change into it, and send its new ETag; an empty patch {} answers with the row as it is.")
	}
	current, err := decodeObject(row)
	if err != nil {
		return nil, fmt.Errorf("decode configuration: %w", err)
	}
	before := map[string]any{}
	for _, field := range configFields {
		before[field] = current[field]
	}
	after, _ := mergePatch(before, patch).(map[string]any) // a patch that is an object gives an object
	if err := CheckSchema("tenant_configuration", after); err != nil {
		return nil, err
	}
	if reflect.DeepEqual(before, after) {
		return row, nil // no change: no audit row, no new version
	}
	err = tx.QueryRow(ctx, configQueries.Get("ConfigUpdate"), tenant, after).Scan(&row)
	if errors.Is(err, pgx.ErrNoRows) { // the policies did not agree
		return nil, fault.New(fault.PermissionDenied, "Only admins of the tenant may do this.", "Ask an owner or admin of the tenant.")
	}
	return row, err
}

// mergePatch is RFC 7396: objects are merged member by member, null removes, anything else replaces.
// target is left as it is.
func mergePatch(target, patch any) any {
	changes, isObject := patch.(map[string]any)
	if !isObject {
		return patch
	}
	merged := map[string]any{}
	if object, ok := target.(map[string]any); ok {
		for name, value := range object {
			merged[name] = value
		}
	}
	for name, value := range changes {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = mergePatch(merged[name], value)
		}
	}
	return merged
}

// decodeObject reads one JSON object and keeps its numbers as they were written.
func decodeObject(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err == nil {
		if _, after := decoder.Token(); !errors.Is(after, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "The body is not JSON.", "Send one JSON object.")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fault.New(fault.Invalid, "The body is not a JSON object.", "Send one JSON object.")
	}
	return object, nil
}

// etagOf is a strong validator of body, quoted.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

// namesETag says whether an If-Match header names etag; weak tags never match, as RFC 9110 asks of it.
func namesETag(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		if candidate = strings.TrimSpace(candidate); candidate == etag || candidate == "*" {
			return true
		}
	}
	return false
}
