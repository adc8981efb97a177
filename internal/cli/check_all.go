package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/isolation"
)

// section is one of the checks of `vital check all`.
type section struct {
	name  string
	find  func(context.Context, *target) (outcome, error)
	found outcome
}

// sections are all checks, in the order they are shown.
func (a *app) sections(flags checkFlags) []*section {
	return []*section{
		{name: "schema", find: a.findSchema},
		{name: "drift", find: a.findDriftIfAllowed},
		{name: "rls", find: func(ctx context.Context, t *target) (outcome, error) { return a.findRLS(ctx, t, flags.scope) }},
		{name: "data", find: func(ctx context.Context, t *target) (outcome, error) {
			results, err := a.checkData(ctx, t)
			return dataOutcome(results), err
		}},
	}
}

// checkAll runs every check, beside one another. One that cannot be run fails it.
func (a *app) checkAll(ctx context.Context, t *target, flags checkFlags) error {
	installed, err := a.vitalInstalled(ctx, t)
	if err != nil {
		return err
	}
	sections := a.sections(flags)
	if !installed {
		a.note("VITAL is not installed in this database: rls is all there is to check")
		sections = slices.DeleteFunc(sections, func(s *section) bool { return s.name != "rls" })
	}
	running, within := errgroup.WithContext(ctx)
	for _, s := range sections {
		running.Go(func() (err error) {
			if s.found, err = s.find(within, t); err != nil {
				return fmt.Errorf("check %s: %w", s.name, err)
			}
			return nil
		})
	}
	if err := running.Wait(); err != nil {
		return err
	}
	var all outcome
	for _, s := range sections {
		all.lints = append(all.lints, s.found.lints...)
		all.findings = append(all.findings, s.found.findings...)
	}
	if flags.format == "text" {
		a.printSections(sections)
	} else if err := a.reportOutcome("check all", flags.format, all); err != nil {
		return err
	}
	return all.fault("`vital check NAME` shows one of them alone.")
}

func (a *app) printSections(sections []*section) {
	out := a.streams.Out
	for _, s := range sections {
		verdict, said := paint(out, green, "ok  "), s.found.looked
		switch failed := s.found.failed(); {
		case failed > 0:
			verdict, said = paint(out, red, "fail"), plural(failed, "finding")+" must be mended"
		case len(s.found.findings) > 0:
			verdict, said = paint(out, amber, "warn"), plural(len(s.found.findings), "finding")+", none that must be mended"
		}
		fmt.Fprintf(out, "%s  %-6s  %s\n", verdict, s.name, said)
	}
	for _, s := range sections {
		a.printFindings(s.found.findings)
	}
}

func (a *app) vitalInstalled(ctx context.Context, t *target) (bool, error) {
	conn, err := connectOperator(ctx, t)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	scope, err := isolation.FindScope(ctx, conn, isolation.Scope{})
	if isUsage(err) { // there is nothing to guess from: the check itself will say so
		return false, nil
	}
	return scope.Vital, err
}

func isUsage(err error) bool {
	var known *fault.Error
	return errors.As(err, &known) && known.Code == fault.Usage
}
