package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) flagsCommand() *cobra.Command {
	return group("flags", "List, change, compare, schedule, exchange and evaluate feature flags, as an operator",
		a.flagsListCommand(), a.flagsSetCommand(), a.flagsHistoryCommand(), a.flagsDiffCommand(), a.flagsRollbackCommand(),
		a.flagsScheduleCommand(), a.flagsChangesCommand(), a.flagsCancelCommand(), a.flagsImportCommand(), a.flagsExportCommand(),
		a.flagsStaleCommand(), a.flagsEvalCommand())
}

// ofFlags runs fn with the tenant named, or with nil for the definitions.
func (a *app) ofFlags(ctx context.Context, name, reference string, fn func(pgx.Tx, *uuid.UUID) error) error {
	return a.ofTools(ctx, name, reference, fn)
}

// tenantFlag is --tenant of a command that is about definitions without it.
func tenantFlag(cmd *cobra.Command, named *string) {
	cmd.Flags().StringVar(named, "tenant", "", "the tenant whose overrides are meant, by slug or id; without it, the definitions")
}

func (a *app) flagsListCommand() *cobra.Command {
	var named string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List flags, or a tenant's overrides", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var flags []tenant.Flag
			var overrides []tenant.FlagOverride
			err := a.ofFlags(cmd.Context(), "FlagList", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				if id == nil {
					flags, err = tenant.ListFlags(cmd.Context(), tx)
				} else {
					overrides, err = tenant.ListFlagOverrides(cmd.Context(), tx, *id)
				}
				return err
			})
			switch {
			case err != nil:
				return err
			case named == "" && asJSON:
				return a.printJSON(flags)
			case asJSON:
				return a.printJSON(overrides)
			case named == "":
				a.printFlags(flags)
			default:
				a.printOverrides(overrides)
			}
			return nil
		},
	}
	tenantFlag(cmd, &named)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printFlags(flags []tenant.Flag) {
	rows := make([][]string, len(flags))
	for i, f := range flags {
		rows[i] = []string{f.Key, f.Type, a.paintWord(activeWord(f.Active)), orDash(f.DefaultVariant), orDash(f.Owner), dateOrDash(f.ExpiresAt), fmt.Sprint(f.Version), date(f.UpdatedAt)}
	}
	a.printTable([]string{"flag", "type", "state", "default", "owner", "expires", "version", "changed"}, rows)
}

func (a *app) printOverrides(overrides []tenant.FlagOverride) {
	rows := make([][]string, len(overrides))
	for i, o := range overrides {
		enabled := "-"
		if o.Enabled != nil {
			enabled = yesNo(*o.Enabled)
		}
		config := "-"
		if o.Config != nil {
			config = string(o.Config)
		}
		rows[i] = []string{o.Key, enabled, orDash(o.Variant), config, dateOrDash(o.ExpiresAt), orDash(o.Reason), fmt.Sprint(o.Version), date(o.UpdatedAt)}
	}
	a.printTable([]string{"flag", "enabled", "variant", "config", "expires", "reason", "version", "changed"}, rows)
}

func activeWord(active bool) string {
	if active {
		return "active"
	}
	return "off"
}

func date(at time.Time) string { return at.UTC().Format("2006-01-02 15:04") }

func dateOrDash(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return date(*at)
}

// fieldArguments refuses anything but a flag's key and fields to change.
func fieldArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fault.New(fault.Usage, fmt.Sprintf("%q takes a flag's key and fields to change.", cmd.CommandPath()), fmt.Sprintf("See `%s --help`.", cmd.CommandPath()))
	}
	return nil
}

const fieldHelp = "A field is written NAME=VALUE; the value is JSON, or a text where it is none; null puts a field back to what it is\n" +
	"without. Of a definition: name, description, flag_type, default_enabled, variants, default_variant, targeting, is_active,\n" +
	"category, owner, tags, expires_at, metadata, prerequisites. With --tenant, of its override: enabled, variant, config,\n" +
	"expires_at; --remove takes the override away."

// parseFields makes an object of NAME=VALUE; nil with remove.
func parseFields(args []string, remove bool, named string) (json.RawMessage, error) {
	switch {
	case remove && named == "":
		return nil, fault.New(fault.Usage, "A definition is not removed.", "Switch it off with is_active=false; --remove takes a tenant's override away.")
	case remove && len(args) > 0:
		return nil, fault.New(fault.Usage, "An override is changed or removed, not both.", "Leave --remove or the fields out.")
	case remove:
		return nil, nil
	case len(args) == 0:
		return nil, fault.New(fault.Usage, "This takes fields to change.", "Write them NAME=VALUE, as in default_enabled=true.")
	}
	fields := map[string]json.RawMessage{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if _, twice := fields[name]; !ok || name == "" || twice {
			return nil, fault.New(fault.Usage, fmt.Sprintf("%q is no field to change.", arg), "Write each once, as NAME=VALUE.")
		}
		raw := json.RawMessage(value)
		if !json.Valid(raw) {
			raw, _ = json.Marshal(value) // a text always can be
		}
		fields[name] = raw
	}
	return json.Marshal(fields)
}

func (a *app) flagsSetCommand() *cobra.Command {
	var named, reason string
	var expected int
	var create, remove bool
	cmd := &cobra.Command{
		Use: "set KEY FIELD=VALUE...", Short: "Change a flag, or a tenant's override of it", Args: fieldArguments,
		Long: "Changes fields of a flag's definition, or with --tenant of that tenant's override, which is made where there is none.\n" + fieldHelp +
			"\n\nWith --expect, a change that somebody else has made meanwhile is not overwritten.",
		Example: "  vital flags set new_dashboard default_enabled=true --reason \"it is ready\"\n" +
			"  vital flags set model_tier --create flag_type=string variants='{\"a\":\"x\",\"b\":\"y\"}' default_variant=a owner=growth\n" +
			"  vital flags set new_dashboard --tenant pharma enabled=true expires_at=2030-01-01 --reason trial",
		RunE: func(cmd *cobra.Command, args []string) error {
			changes := json.RawMessage("{}")
			if len(args) > 1 || !create {
				var err error
				if changes, err = parseFields(args[1:], remove, named); err != nil {
					return err
				}
			}
			var expect *int
			if cmd.Flags().Changed("expect") {
				expect = &expected
			}
			if create {
				if expect != nil || named != "" || remove {
					return fault.New(fault.Usage, "--create makes a definition there is not.", "Leave --expect, --remove and --tenant out.")
				}
				expect = new(int)
			}
			var version int
			err := a.ofFlags(cmd.Context(), "FlagSet", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				version, err = tenant.ChangeFlag(cmd.Context(), tx, tenant.FlagTarget{Key: args[0], Tenant: id}, changes, expect, reason)
				if err != nil || id != nil {
					return err
				}
				return tenant.CheckFlag(cmd.Context(), tx, args[0])
			})
			if err != nil {
				return err
			}
			a.sayVersion(args[0], named, version)
			return nil
		},
	}
	tenantFlag(cmd, &named)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history and the audit log")
	cmd.Flags().IntVar(&expected, "expect", 0, "version that is to be changed; another one is refused")
	cmd.Flags().BoolVar(&create, "create", false, "make the flag, which is not there yet")
	cmd.Flags().BoolVar(&remove, "remove", false, "take the tenant's override away")
	return cmd
}

// sayVersion says at which version a flag or override is now.
func (a *app) sayVersion(key, named string, version int) {
	switch {
	case named == "":
		fmt.Fprintf(a.streams.Out, "flag %s is at version %d\n", key, version)
	case version == 0:
		fmt.Fprintf(a.streams.Out, "%s has no override of flag %s\n", named, key)
	default:
		fmt.Fprintf(a.streams.Out, "the override of flag %s in %s is at version %d\n", key, named, version)
	}
}

func (a *app) flagsHistoryCommand() *cobra.Command {
	var named string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "history KEY", Short: "Show every version of a flag, or of a tenant's override: when, who, why", Args: exactly("a flag's key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var versions []tenant.FlagVersion
			err := a.ofFlags(cmd.Context(), "FlagHistory", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				versions, err = tenant.FlagHistory(cmd.Context(), tx, tenant.FlagTarget{Key: args[0], Tenant: id})
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(versions)
			}
			rows := make([][]string, len(versions))
			for i, v := range versions {
				rows[i] = []string{fmt.Sprint(v.Version), date(v.CreatedAt), authorOf(v), orDash(v.Reason), removedMark(v)}
			}
			a.printTable([]string{"version", "at", "by", "reason", ""}, rows)
			return nil
		},
	}
	tenantFlag(cmd, &named)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with each version's configuration and the one before it")
	return cmd
}

func authorOf(v tenant.FlagVersion) string {
	switch {
	case v.Author != nil:
		return *v.Author
	case v.CreatedBy != nil:
		return v.CreatedBy.String()
	default:
		return "operator"
	}
}

// removedMark says of a version that it is an override taken away.
func removedMark(v tenant.FlagVersion) string {
	if string(v.Config) == "null" {
		return "removed"
	}
	return ""
}

func (a *app) flagsDiffCommand() *cobra.Command {
	var named string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "diff KEY [FROM [TO]]", Short: "Show where two versions of a flag, or of a tenant's override, differ",
		Long: "Shows where two versions differ, as JSON pointers: the newest and the one before it, FROM and the newest, or FROM and TO.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 3 {
				return exactly("a flag's key", "up to two versions")(cmd, nil)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			versions := make([]*int, 2)
			for i, text := range args[1:] {
				version, err := versionArgument(text)
				if err != nil {
					return err
				}
				versions[i] = &version
			}
			var differences []tenant.Difference
			err := a.ofFlags(cmd.Context(), "FlagDiff", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				differences, err = tenant.DiffFlag(cmd.Context(), tx, tenant.FlagTarget{Key: args[0], Tenant: id}, versions[0], versions[1])
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(differences)
			}
			a.printDifferences(differences)
			return nil
		},
	}
	tenantFlag(cmd, &named)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printDifferences(differences []tenant.Difference) {
	rows := make([][]string, len(differences))
	for i, d := range differences {
		rows[i] = []string{d.Path, valueOrDash(d.Before), valueOrDash(d.After)}
	}
	a.printTable([]string{"path", "before", "after"}, rows)
}

func valueOrDash(raw json.RawMessage) string {
	if raw == nil {
		return "-"
	}
	return string(raw)
}

func versionArgument(text string) (int, error) {
	version, err := strconv.Atoi(text)
	if err != nil || version < 1 {
		return 0, fault.New(fault.Usage, fmt.Sprintf("%q is no version.", text), "Versions count from 1: see vital flags history.")
	}
	return version, nil
}

func (a *app) flagsRollbackCommand() *cobra.Command {
	var named, reason string
	cmd := &cobra.Command{
		Use: "rollback KEY VERSION --reason REASON", Short: "Make a flag, or a tenant's override, what it was: as a new version",
		Args: exactly("a flag's key", "a version"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			to, err := versionArgument(args[1])
			if err != nil {
				return err
			}
			var version int
			err = a.ofFlags(cmd.Context(), "FlagRollback", named, func(tx pgx.Tx, id *uuid.UUID) (err error) {
				version, err = tenant.RollbackFlag(cmd.Context(), tx, tenant.FlagTarget{Key: args[0], Tenant: id}, to, reason)
				return err
			})
			if err != nil {
				return err
			}
			a.sayVersion(args[0], named, version)
			return nil
		},
	}
	tenantFlag(cmd, &named)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history and the audit log")
	return cmd
}

func (a *app) flagsStaleCommand() *cobra.Command {
	var days int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "stale", Short: "List the flags to look at in the monthly review; exits with 3 when there are any", Args: noArguments,
		Long: "Lists flags that may be gone, with why: never_evaluated in the last days, one_value for every tenant in all that\n" +
			"time, inactive that long, expired, no_owner. A flag younger than that is judged by its end and owner alone.\n" +
			"Exits with 3 when there are any, so that a scheduled run tells.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > 90 {
				return fault.New(fault.Usage, "That is no span of days.", "--days goes from 1 to 90: counts are kept for 90 days.")
			}
			var flags []tenant.StaleFlag
			err := a.asService(cmd.Context(), "FlagsStale", func(tx pgx.Tx) (err error) {
				flags, err = tenant.ListStaleFlags(cmd.Context(), tx, days)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				err = a.printJSON(flags)
			} else {
				a.printStaleFlags(flags)
			}
			if err == nil && len(flags) > 0 {
				err = fault.New(fault.FindingsFound, plural(len(flags), "flag")+" to look at.", "Take it out of the code and switch it off, or give it an owner and an end: vital flags set.")
			}
			return err
		},
	}
	cmd.Flags().IntVar(&days, "days", 30, "how many days back")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printStaleFlags(flags []tenant.StaleFlag) {
	rows := make([][]string, len(flags))
	for i, f := range flags {
		last := "-"
		if f.LastEvaluated != nil {
			last = f.LastEvaluated.Format("2006-01-02")
		}
		rows[i] = []string{f.Key, strings.Join(f.Reasons, ", "), orDash(f.Owner), dateOrDash(f.ExpiresAt), last, orDash(f.Variant)}
	}
	a.printTable([]string{"flag", "why", "owner", "expires", "evaluated", "one value"}, rows)
}
