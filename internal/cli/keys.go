package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

func (a *app) keysCommand() *cobra.Command {
	return group("keys", "Make, rotate and destroy the keys that tenants' data is sealed with",
		a.keysCreateCommand(), a.keysStatusCommand(), a.keysRotateCommand(), a.keysRetireCommand(), a.keysDestroyCommand(), a.keysOpenCommand(),
		a.keysExportCommand(), a.keysImportCommand())
}

func (a *app) keysCreateCommand() *cobra.Command {
	var noSignIn bool
	cmd := &cobra.Command{
		Use: "create FILE", Short: "Make a keyring with a first key-encryption key", Args: exactly("a file to make"),
		Long: "Makes a keyring: a file of random keys that wrap tenants' keys, closed to others. Nothing is overwritten. Name the\n" +
			"file with VITAL_KEK_FILE, the same for every server, and keep a copy apart from backups of the database: without it nothing\n" +
			"that was sealed can be opened, and with it and a backup all of it can. docs/reference/keys.md.",
		Example: "  vital keys create /etc/vital/keyring",
		RunE: func(_ *cobra.Command, args []string) error {
			ring := envelope.NewRing(time.Now())
			if noSignIn {
				ring = ring.WithoutSignIn()
			}
			if err := createRing(args[0], ring); err != nil {
				return err
			}
			fmt.Fprintf(a.streams.Out, "keyring %s made, with the key-encryption key %s\n", args[0], ring.Current())
			a.note("name it with VITAL_KEK_FILE, and keep a copy apart from backups of the database: without it nothing that is sealed can be opened")
			return nil
		},
	}
	cmd.Flags().BoolVar(&noSignIn, "no-sign-in", false, "leave out the line that turns the embedded sign-in on beside a named database")
	return cmd
}

// ringStatus is what `vital keys status` says.
type ringStatus struct {
	Source  string     `json:"source"`
	Current string     `json:"current"`
	KEKs    []kekEntry `json:"keks"`
}

type kekEntry struct {
	tenant.KEKUse
	InRing  bool `json:"in_ring"`
	Current bool `json:"current"`
}

func (a *app) keysStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "List key-encryption keys and how many tenants' keys each wraps", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error {
				status, err := a.ringStatus(cmd.Context(), t)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(status)
				}
				a.printRing(status)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) ringStatus(ctx context.Context, t *target) (s ringStatus, err error) {
	source, ring, err := a.needKeyring(t)
	if err != nil {
		return s, err
	}
	var uses []tenant.KEKUse
	err = a.onService(ctx, t, "KeysCount", func(tx pgx.Tx) (err error) {
		uses, err = tenant.CountKeys(ctx, tx)
		return err
	})
	if err != nil {
		return s, err
	}
	for _, name := range ring.Names() {
		if !slices.ContainsFunc(uses, func(u tenant.KEKUse) bool { return u.ID == name }) {
			uses = append(uses, tenant.KEKUse{ID: name})
		}
	}
	s.Source, s.Current = cmp.Or(source.path, "VITAL_KEK"), ring.Current()
	for _, use := range uses {
		s.KEKs = append(s.KEKs, kekEntry{use, ring.Has(use.ID), use.ID == ring.Current()})
	}
	slices.SortFunc(s.KEKs, func(a, b kekEntry) int { return cmp.Compare(a.ID, b.ID) })
	return s, nil
}

func (a *app) printRing(s ringStatus) {
	out := a.streams.Out
	fmt.Fprintf(out, "keyring  %s\n", s.Source)
	var rows [][]string
	var lasting, missing int64
	// A key that was destroyed may have been wrapped with any key-encryption key before its last one.
	former := slices.ContainsFunc(s.KEKs, func(k kekEntry) bool { return k.InRing && !k.Current })
	for _, k := range s.KEKs {
		state := paint(out, red, "not in the keyring")
		switch {
		case k.Current:
			state = paint(out, green, "current")
		case k.InRing:
			state = "in the keyring"
		case k.RetiredAt != nil:
			state = "retired " + k.RetiredAt.UTC().Format(time.DateOnly)
		case k.Keys == 0:
			state = "gone"
		}
		if k.Current || former {
			lasting += k.Destroyed
		}
		if !k.InRing {
			missing += k.Keys
		}
		rows = append(rows, []string{k.ID, state, fmt.Sprint(k.Keys), fmt.Sprint(k.Destroyed)})
	}
	a.printTable([]string{"key-encryption key", "state", "tenants' keys", "destroyed"}, rows)
	if missing > 0 {
		a.note(fmt.Sprintf("%s cannot be opened with this keyring: bring back the one that has what wraps them", plural(int(missing), "key")))
	}
	if lasting > 0 {
		a.note(fmt.Sprintf("%s can still be opened from backups of before, with a key-encryption key that is in the keyring: rotate it, and retire every former one",
			plural(int(lasting), "destroyed key")))
	}
}

func (a *app) keysRotateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Short: "Make a new key-encryption key current and wrap every tenant's key with it", Args: noArguments,
		Long: "Makes a new key-encryption key, which is current from then on, and wraps every tenant's key with it, in batches. Nothing that is\n" +
			"sealed is touched. Where keys are still wrapped with another than the current one, a rotation was broken off: it goes on with\n" +
			"that, and makes no new one. The former key-encryption key stays in the keyring until `vital keys retire`. Copy the keyring\n" +
			"to every server afterwards.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error { return a.rotateKEK(cmd.Context(), t) })
		},
	}
}

func (a *app) rotateKEK(ctx context.Context, t *target) error {
	source, err := a.ringSource(t)
	if err != nil {
		return err
	}
	if source != nil {
		release, err := source.hold()
		if err != nil {
			return err
		}
		defer release()
	}
	source, ring, err := a.needKeyring(t)
	if err != nil {
		return err
	}
	status, err := a.ringStatus(ctx, t)
	if err != nil {
		return err
	}
	behind := int64(0)
	for _, k := range status.KEKs {
		if !k.Current {
			behind += k.Keys
		}
	}
	if behind == 0 {
		ring = ring.Grow(time.Now())
		if err := source.write(ring); err != nil {
			return err
		}
		fmt.Fprintf(a.streams.Out, "key-encryption key %s made, and current\n", ring.Current())
	} else {
		fmt.Fprintf(a.streams.Out, "going on with a rotation to %s that was broken off\n", ring.Current())
	}
	return a.rewrapAll(ctx, t, ring)
}

func (a *app) rewrapAll(ctx context.Context, t *target, ring *envelope.Ring) error {
	var done tenant.Rewrap
	progress := a.progress("wrapping")
	service, err := postgres.OpenService(ctx, postgres.Config{ServiceURL: t.serviceURL})
	if err != nil {
		return err
	}
	defer service.Close()
	done, err = tenant.RewrapKeys(ctx, service, ring, func(n int64) { progress(fmt.Sprintf("keys anew, %d so far", n)) })
	a.clearProgress()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Out, "%s wrapped with %s\n", plural(int(done.Keys), "key"), ring.Current())
	if done.Unopened > 0 {
		return fault.Wrap(done.Err, fault.KeyUnavailable, fmt.Sprintf("%s cannot be opened, and stay as they are. The first: %s", plural(int(done.Unopened), "key"), done.Err),
			"`vital keys status` shows which key-encryption keys wrap them: bring back the keyring that has these, and run it again.")
	}
	return nil
}

func (a *app) keysRetireCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "retire KEK", Short: "Throw away a key-encryption key that wraps nothing any more", Args: exactly("a key-encryption key's name"),
		Long: "Takes a key-encryption key out of the keyring, once no tenant's key is wrapped with it. From then on what backups of before have\n" +
			"wrapped with it can be opened by nobody: keys that were destroyed since are gone from there, too, and those that live are taken\n" +
			"from the database that is in use. Copies of the keyring still have it: take it out of them, too.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTarget(cmd.Context(), func(t *target) error { return a.retireKEK(cmd.Context(), t, args[0], yes) })
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (a *app) retireKEK(ctx context.Context, t *target, id string, yes bool) error {
	source, _, err := a.needKeyring(t)
	if err != nil {
		return err
	}
	release, err := source.hold()
	if err != nil {
		return err
	}
	defer release()
	ring, err := source.read()
	if err != nil {
		return err
	}
	without, err := ring.Without(id)
	if err != nil {
		return err
	}
	if !yes {
		if err := a.confirm(fmt.Sprintf("Throw away the key-encryption key %s? Keys in backups that are wrapped with it can be opened by nobody then.", id)); err != nil {
			return err
		}
	}
	var live int64
	err = a.onService(ctx, t, "KEKRetire", func(tx pgx.Tx) (err error) {
		live, err = tenant.RetireKEK(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	if live > 0 {
		return fault.New(fault.StateConflict, fmt.Sprintf("The key-encryption key %s still wraps %s.", id, plural(int(live), "key")),
			"Wrap them with the current one first: vital keys rotate.")
	}
	if err := source.write(without); err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Out, "key-encryption key %s retired: what backups have wrapped with it can be opened by nobody\n", id)
	a.note("other copies of the keyring still have it: put this one in their place, on every server and where copies are kept")
	return nil
}

func (a *app) keysDestroyCommand() *cobra.Command {
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use: "destroy TENANT", Short: "Seal a tenant's audit log and destroy its key: what was sealed is erased", Args: exactly("a tenant's slug or id"),
		Long: "Seals what is still in clear of a tenant's audit log and destroys the tenant's key: changes and reasons of its audit log, and archives\n" +
			"that were sealed, can be opened by nobody any more. That the rows are as they were written can still be verified. It cannot be\n" +
			"undone. Backups have the wrapped key until they are thrown away, or until the key-encryption key is rotated and the former one retired.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			return a.withTarget(cmd.Context(), func(t *target) error { return a.destroyKeys(cmd.Context(), t, args[0], reason, yes) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the tenant's audit log")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// allOfIt is how far ahead of this machine's clock the database's may be where everything is to be sealed.
const allOfIt = 24 * time.Hour

func (a *app) destroyKeys(ctx context.Context, t *target, reference, reason string, yes bool) error {
	_, ring, err := a.needKeyring(t)
	if err != nil {
		return err
	}
	var id uuid.UUID
	err = a.onService(ctx, t, "TenantFind", func(tx pgx.Tx) (err error) {
		if named, parsed := uuid.Parse(reference); parsed == nil {
			id = named // it may be gone
			return nil
		}
		id, err = tenant.FindTenant(ctx, tx, reference)
		return err
	})
	if err != nil {
		return err
	}
	if !yes {
		if err := a.confirm(fmt.Sprintf("Destroy the key of %s, and with it the contents of its audit log and of its sealed archives, for good?", reference)); err != nil {
			return err
		}
	}
	sealed, err := a.sealAudit(ctx, t, tenant.AuditSeal{Ring: ring, Before: time.Now().Add(allOfIt), Tenant: &id})
	if err == nil {
		err = sealed.Err
	}
	if err != nil {
		return err
	}
	var at *time.Time
	err = a.onService(ctx, t, "KeysDestroy", func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, queries.Get("GiveReason"), reason); err != nil {
			return err
		}
		at, err = tenant.DestroyKeys(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	if at == nil {
		fmt.Fprintf(a.streams.Out, "%s has never had a key: nothing was sealed\n", reference)
		return nil
	}
	fmt.Fprintf(a.streams.Out, "%s sealed; key of %s destroyed on %s\n", plural(int(sealed.Rows), "audit row"), reference, at.UTC().Format(time.RFC3339))
	a.note("backups of before have the wrapped key: `vital keys rotate` and `vital keys retire` make it worthless")
	return nil
}
