package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// OnboardOptions say how tenants of a file are made.
type OnboardOptions struct {
	// Reason is for the audit log.
	Reason string
	// InvitationsExpireIn is how long an invitation can be accepted. Defaults to 7 days, at most 30.
	InvitationsExpireIn time.Duration
	// Progress is told how far a step is; nil for nobody.
	Progress func(step string, done, of int)
}

func (o OnboardOptions) progress(step string, done, of int) {
	if o.Progress != nil && (done == of || done%500 == 0) {
		o.Progress(step, done, of)
	}
}

// The steps of writing, in their order but for those of organizations, which go by depth.
const (
	stepMake              = "organizations made/"
	stepChange            = "organizations changed/"
	stepConfigurations    = "configurations"
	stepApps              = "apps"
	stepMembers           = "members"
	stepDefaults          = "default tenants"
	stepInvitationsRevoke = "invitations replaced"
	stepInvitations       = "invitations"
	stepOverridesRemove   = "overrides removed"
	stepOverrides         = "overrides"
	stepAgents            = "agents"
)

// steps are the statements behind the organizations. What may be less than was asked for is so by a race that does no harm.
var onboardSteps = []struct {
	step, query string
	mayBeLess   bool
}{
	{stepConfigurations, "OnboardConfigurationsChange", false},
	{stepApps, "OnboardAppsWrite", false},
	{stepMembers, "OnboardMembersWrite", false},
	{stepDefaults, "OnboardDefaultsSet", true},
	{stepInvitationsRevoke, "OnboardInvitationsRevoke", true},
	{stepInvitations, "OnboardInvitationsMake", false},
	{stepOverridesRemove, "OnboardOverridesRemove", false},
	{stepOverrides, "OnboardOverridesWrite", false},
	{stepAgents, "OnboardAgentsWrite", false},
}

// Onboard makes the tenants of file and changes those that are there, by tenant_key, so that they are as it says, within the
// operator's transaction tx: all or nothing. What is so already is not written, and what the file does not mention is left alone; so
// the same file again changes nothing. Whoever ends the transaction otherwise has seen what would be done, found by doing it.
//
// One file is applied at a time. Rows are loaded by COPY and written a statement a kind, and every trigger holds. At the end each
// tenant that was made or changed has all that it needs to load (detect_missing_tenant_data), or nothing is kept.
//
// Errors: invalid with TenantFileError, which are all found before anything is written, conflict, and what triggers refuse.
func Onboard(ctx context.Context, tx pgx.Tx, file *TenantFile, options OnboardOptions) (*Onboarding, error) {
	if options.InvitationsExpireIn == 0 {
		options.InvitationsExpireIn = 7 * 24 * time.Hour
	}
	if options.InvitationsExpireIn < time.Minute || options.InvitationsExpireIn > 30*24*time.Hour {
		return nil, fault.New(fault.Invalid, "Invitations last from a minute to 30 days.", "Choose a time between.")
	}
	if _, err := tx.Exec(ctx, onboardQueries.Get("OnboardSerialize")); err != nil {
		return nil, fmt.Errorf("wait for other files: %w", err)
	}
	if _, err := tx.Exec(ctx, writeQueries.Get("ReasonGive"), options.Reason); err != nil {
		return nil, fmt.Errorf("give reason: %w", err)
	}
	w, err := loadWorld(ctx, tx, file.mentioned())
	if err != nil {
		return nil, err
	}
	p, err := planTenants(w, file, options)
	if err != nil {
		return nil, err
	}
	if err := p.faults.err(); err != nil {
		return nil, err
	}
	report := p.report()
	report.Invitations = p.draw(time.Now().Add(options.InvitationsExpireIn).UTC().Round(time.Second))
	if err := p.apply(ctx, tx); err != nil {
		return nil, err
	}
	return report, p.checkHealth(ctx, tx)
}

// report is what the plan comes to.
func (p *plan) report() *Onboarding {
	report := &Onboarding{Tenants: []OnboardedTenant{}}
	for _, t := range p.order {
		switch {
		case t.known == nil:
			report.Made++
		case len(t.changes) > 0:
			report.Changed++
		default:
			report.Unchanged++
			continue
		}
		changes := t.changes
		if changes == nil {
			changes = []TenantChange{}
		}
		w := t.wanted
		report.Tenants = append(report.Tenants, OnboardedTenant{w.Key, w.ID, t.known == nil, w.Name, w.Slug, w.Type, w.Tier, w.State, w.Parent, t.template, changes})
	}
	return report
}

// apply writes the plan's rows, then has audit rows chained and versions raised, so that what is held at commit is held now.
func (p *plan) apply(ctx context.Context, tx pgx.Tx) error {
	if err := p.writeOrganizations(ctx, tx); err != nil {
		return err
	}
	for _, s := range onboardSteps {
		if err := p.write(ctx, tx, s.step, s.query, s.mayBeLess); err != nil {
			return err
		}
	}
	p.options.progress("writing the audit log", 0, 1)
	if _, err := tx.Exec(ctx, onboardQueries.Get("OnboardSettle")); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}

// writeOrganizations makes new ones, whoever is higher up first, each with its template, then changes those that are there.
func (p *plan) writeOrganizations(ctx context.Context, tx pgx.Tx) error {
	names := slices.Sorted(maps.Keys(p.rows)) // a depth is one digit
	for _, step := range names {
		depthAndTemplate, isMake := strings.CutPrefix(step, stepMake)
		if !isMake {
			continue
		}
		_, template, _ := strings.Cut(depthAndTemplate, "/")
		if _, err := tx.Exec(ctx, onboardQueries.Get("OnboardTemplate"), template); err != nil {
			return fmt.Errorf("use template: %w", err)
		}
		if err := p.write(ctx, tx, step, "OnboardOrganizationsMake", false); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, onboardQueries.Get("OnboardTemplate"), nil); err != nil {
		return fmt.Errorf("leave template: %w", err)
	}
	for _, step := range names {
		if strings.HasPrefix(step, stepChange) {
			if err := p.write(ctx, tx, step, "OnboardOrganizationsChange", false); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk is how many rows are loaded between two words of progress.
const chunk = 5000

// write loads the rows of one step and has one statement write them.
func (p *plan) write(ctx context.Context, tx pgx.Tx, step, query string, mayBeLess bool) error {
	rows := p.rows[step]
	if len(rows) == 0 {
		return nil
	}
	label, _, _ := strings.Cut(step, "/")
	for from := 0; from < len(rows); from += chunk {
		part := rows[from:min(from+chunk, len(rows))]
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"vital", "staged_rows"}, []string{"step", "place", "value"},
			pgx.CopyFromSlice(len(part), func(i int) ([]any, error) {
				value, err := json.Marshal(part[i])
				return []any{step, int32(from + i), value}, err
			}))
		if err != nil {
			return fmt.Errorf("load %s: %w", label, err)
		}
		p.options.progress("loading "+label, from+len(part), len(rows))
	}
	p.options.progress("writing "+label, 0, len(rows))
	done, err := tx.Exec(ctx, onboardQueries.Get(query), step)
	if err != nil {
		return fmt.Errorf("write %s: %w", label, err)
	}
	if done.RowsAffected() != int64(len(rows)) && !mayBeLess {
		return fault.New(fault.Conflict, fmt.Sprintf("Of %d %s, %d could be written: something changed meanwhile.", len(rows), label, done.RowsAffected()),
			"Nothing was changed. Try again.")
	}
	return nil
}

// checkHealth refuses tenants that lack something they need to load.
func (p *plan) checkHealth(ctx context.Context, tx pgx.Tx) error {
	var ids []string
	for _, t := range p.order {
		if t.known == nil || len(t.changes) > 0 {
			ids = append(ids, t.wanted.ID.String())
		}
	}
	p.options.progress("looking for what is missing", 0, len(ids))
	missing, err := ask[struct{ Key, Data, Issue string }](ctx, tx, "OnboardMissing", ids)
	if err != nil {
		return err
	}
	for _, m := range missing {
		p.faults.add(p.targets[m.Key].spec, "", "would lack something to load (%s): %s", m.Data, m.Issue)
	}
	return p.faults.err()
}
