package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/isolation"
)

const scaleHint = isolation.ScalePage + " says what stands behind each, and what it takes."

// checkScale looks for what keeps the database from growing, and fails where a key does not say whose a row is.
func (a *app) checkScale(ctx context.Context, t *target, flags checkFlags) error {
	var scale isolation.Scale
	lints, err := isolation.ScaleLints()
	if err != nil {
		return err
	}
	err = a.withScope(ctx, t, flags.scope, func(conn *pgx.Conn, scope isolation.Scope) (err error) {
		scale, err = isolation.CheckScale(ctx, conn, scope)
		return err
	})
	if err != nil {
		return err
	}
	found := outcome{lints: lints, looked: "nothing found by " + plural(len(lints), "lint"), findings: scale.Findings}
	switch flags.format {
	case "text":
		a.printPlaces(scale.Tables)
		err = a.reportOutcome("check scale", flags.format, found)
	case "json":
		err = a.printJSON(scale)
	default:
		err = a.reportOutcome("check scale", flags.format, found)
	}
	if err != nil {
		return err
	}
	return found.fault(scaleHint)
}

// printPlaces shows what lies where, a line a place.
func (a *app) printPlaces(tables []isolation.Placed) {
	for _, place := range isolation.Places {
		var names []string
		for _, t := range tables {
			if t.Place == place {
				names = append(names, t.Table)
			}
		}
		said := strings.Join(names, ", ")
		if said == "" {
			said = "none"
		}
		fmt.Fprintf(a.streams.Out, "%s  %s\n", paint(a.streams.Out, dim, fmt.Sprintf("%-11s", place)), said)
	}
}
