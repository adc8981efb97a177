package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/database"
)

//go:embed checks.sql
var checksText string

var checksQueries = database.ParseQueries(checksText)

var (
	checksSmall = shape{tenants: 3, flags: 5, apps: 4, agents: 1}
	checksLarge = shape{tenants: 100_000, flags: 20, apps: 4, agents: 1}
)

const (
	checksUsers    = 1_000_000
	nameCheckAll   = "check all, 3 tenants"
	nameCheckMore  = "check all, 200 tables more"
	nameDrift      = "check drift, 3 tenants"
	nameDriftMore  = "check drift, 200 tables more"
	nameProve      = "rls prove, 3 tenants"
	nameProveMore  = "rls prove, 200 tables more"
	nameCheckData  = "check data, 1,000,000 users, 100,000 tenants"
	nameWrite      = "a write"
	nameWriteWhile = "a write while data is checked, again and again"
)

// measureChecks asks how long a check takes, and whether anybody waits for it.
func measureChecks(ctx context.Context, w *world) (*result, error) {
	small, more, err := w.checkedDatabases(ctx)
	if err != nil {
		return nil, err
	}
	large, err := w.database(ctx, "bench_checks_large", w.loadCrowd)
	if err != nil {
		return nil, err
	}
	r := &result{}
	r.Series, err = interleave(ctx, w, []variant{
		{nameCheckAll, 1, true, w.checking(small, "check", "all")},
		{nameCheckMore, 1, false, w.checking(more, "check", "all")},
		{nameDrift, 1, true, w.checking(small, "check", "drift")},
		{nameDriftMore, 1, false, w.checking(more, "check", "drift")},
		{nameCheckData, 1, false, w.checking(large, "check", "data")},
		{nameWrite, 4, true, writing(large)},
		{nameWriteWhile, 4, false, w.whileChecking(large, writing(large))},
	})
	if err != nil {
		return nil, err
	}
	seconds := func(name string) float64 { return r.find(name, 1).Median.typical() / 1000 }
	r.ratio("check all, 3 tenants, seconds", atMost, 5, seconds(nameCheckAll))
	r.ratio("check all, 200 tables more, seconds", atMost, 15, seconds(nameCheckMore))
	r.ratio("check drift, 3 tenants, seconds", information, 0, seconds(nameDrift))
	r.ratio("check drift, 200 tables more, seconds", information, 0, seconds(nameDriftMore))
	r.ratio("check data, 1,000,000 users, seconds", atMost, 10, seconds(nameCheckData))
	r.ratio("p99 of a write while data is checked over alone", information, 0, r.find(nameWriteWhile, 4).Median.P99/r.find(nameWrite, 4).Median.P99)
	return r, nil
}

// measureProve asks how long it takes to attack every table.
func measureProve(ctx context.Context, w *world) (*result, error) {
	small, more, err := w.checkedDatabases(ctx)
	if err != nil {
		return nil, err
	}
	r := &result{}
	r.Series, err = interleave(ctx, w, []variant{
		{nameProve, 1, true, w.checking(small, "rls", "prove")}, {nameProveMore, 1, false, w.checking(more, "rls", "prove")},
	})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{nameProve, nameProveMore} {
		r.ratio(name+", seconds", information, 0, r.find(name, 1).Median.typical()/1000)
	}
	return r, nil
}

// checkedDatabases are one as `vital up` makes it, and one with 200 tables more, each with its policy.
func (w *world) checkedDatabases(ctx context.Context) (small, more *target, err error) {
	if small, err = w.database(ctx, "bench_checks_small", w.load(checksSmall)); err != nil {
		return nil, nil, err
	}
	more, err = w.database(ctx, "bench_checks_more", func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, checksQueries.Get("Tables"))
		return errors.Join(err, w.load(checksSmall)(ctx, conn))
	})
	return small, more, err
}

// loadCrowd is load of the large shape, with ten users a tenant.
func (w *world) loadCrowd(ctx context.Context, conn *pgx.Conn) error {
	if err := w.load(checksLarge)(ctx, conn); err != nil {
		return err
	}
	for _, name := range []string{"CrowdUsers", "CrowdAccounts", "CrowdProfiles", "CrowdMemberships"} {
		args := []any{checksLarge.tenants + 1, checksUsers}
		if name == "CrowdUsers" || name == "CrowdMemberships" {
			args = append(args, checksLarge.tenants)
		}
		if _, err := conn.Exec(ctx, checksQueries.Get(name), args...); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w.progress("%s of %d users", name, checksUsers)
	}
	return nil
}

// check runs a command. That it finds something is an answer too: what is loaded with triggers off need not be perfect.
func (w *world) check(ctx context.Context, d *target, command ...string) error {
	cmd := exec.CommandContext(ctx, w.binary, append(command, "--database-url", d.superURL)...)
	cmd.Env = append(os.Environ(), "HOME="+os.TempDir())
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == 3 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("vital %s: %w: %s", strings.Join(command, " "), err, out)
	}
	return nil
}

func (w *world) checking(d *target, command ...string) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			return worker{do: func() error { return w.check(ctx, d, command...) }}, nil
		})
	}
}

// writing updates rows of tenants drawn at random, each in a transaction of its own.
func writing(d *target) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			conn, err := pgx.Connect(ctx, d.superURL)
			if err != nil {
				return worker{}, err
			}
			return worker{
				done: func() { _ = conn.Close(context.WithoutCancel(ctx)) },
				do: func() error {
					_, err := conn.Exec(ctx, checksQueries.Get("Write"))
					return err
				},
			}, nil
		})
	}
}

// whileChecking measures run while data is checked all the time.
func (w *world) whileChecking(d *target, run func(context.Context, int, time.Duration) (sample, error)) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		checking, stop := context.WithCancel(ctx)
		var failed error
		var running sync.WaitGroup
		running.Go(func() {
			for checking.Err() == nil && failed == nil {
				if err := w.check(checking, d, "check", "data"); err != nil && checking.Err() == nil {
					failed = err
				}
			}
		})
		s, err := run(ctx, clients, slice)
		stop()
		running.Wait()
		return s, errors.Join(err, failed)
	}
}
