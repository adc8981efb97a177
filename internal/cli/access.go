package cli

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) accessCommand() *cobra.Command {
	return group("access", "Read the records of who has read what in tenants under HIPAA", a.accessListCommand())
}

func (a *app) accessListCommand() *cobra.Command {
	var reference, since, until string
	var filter tenant.AccessFilter
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --tenant TENANT", Short: "List who has read what of a tenant under HIPAA, the latest first", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if filter.Since, err = parseMoment(since); err != nil {
				return err
			}
			if filter.Until, err = parseMoment(until); err != nil {
				return err
			}
			var records []tenant.AccessRecord
			err = a.inTenant(cmd.Context(), "AccessList", reference, func(tx pgx.Tx, id uuid.UUID) (err error) {
				records, err = tenant.ListAccess(cmd.Context(), tx, id, filter)
				return err
			})
			switch {
			case err != nil:
				return err
			case asJSON:
				return a.printJSON(records)
			default:
				a.printAccess(records)
				return nil
			}
		},
	}
	cmd.Flags().StringVar(&reference, "tenant", "", "tenant, by slug or id")
	cmd.Flags().StringVar(&filter.User, "user", "", "who read: a user's address or id")
	cmd.Flags().StringVar(&filter.Table, "table", "", "table or function that was read, or table that was embedded")
	cmd.Flags().StringVar(&since, "since", "", "from then on: a time as 2026-01-31T09:00:00Z, a day, or how long ago, as 24h")
	cmd.Flags().StringVar(&until, "until", "", "before then, given likewise")
	cmd.Flags().IntVar(&filter.Limit, "limit", 50, "most records; 0 is all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printAccess(records []tenant.AccessRecord) {
	rows := make([][]string, len(records))
	for i, r := range records {
		who := r.DatabaseLogin
		switch {
		case r.User != nil:
			who = *r.User
		case r.UserID != nil:
			who = r.UserID.String()
		}
		count := orDash(r.Rows)
		if r.ErrorCode != nil {
			count = *r.ErrorCode
		}
		rows[i] = []string{
			r.At.UTC().Format("2006-01-02 15:04:05"), who, r.ActingRole, r.Action, strings.Join(append([]string{r.Table}, r.Embedded...), ", "),
			filterText(r.Filter), count, orDash(r.RequestID),
		}
	}
	a.printTable([]string{"time", "user", "role", "action", "tables", "by", "rows", "request"}, rows)
}

// filterText is a record's filter in short: id eq, status not.in (3).
func filterText(filter json.RawMessage) string {
	var conditions []struct {
		Column, Operator string
		Values           []string
	}
	if err := json.Unmarshal(filter, &conditions); err != nil {
		return string(filter)
	}
	texts := make([]string, len(conditions))
	for i, c := range conditions {
		texts[i] = c.Column + " " + c.Operator
		switch len(c.Values) {
		case 0:
		case 1:
			texts[i] += " " + c.Values[0]
		default:
			texts[i] += " (" + strconv.Itoa(len(c.Values)) + ")"
		}
	}
	return strings.Join(texts, ", ")
}
