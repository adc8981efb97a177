package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/traffic"
)

// flagSizes are a small platform and a large one; a tenant overrides one flag in a hundred.
var flagSizes = []shape{{tenants: 100, flags: 100, overrides: 1}, {tenants: 100_000, flags: 10_000, overrides: 100}}

const (
	nameSmallFlags = "one flag of 100, 100 tenants"
	nameLargeFlags = "one flag of 10,000, 100,000 tenants, 10,000,000 overrides"
	nameDefinition = "definition changed and seen"
	nameOverride   = "override changed and seen"
	// flagCallers is of how many tenants callers are remembered to see what one takes.
	flagCallers = 1000
)

// flagServer is a server over a database of one size.
type flagServer struct {
	*process
	shape shape
	db    *pgx.Conn
	token string
}

func (w *world) flagServer(ctx context.Context, s shape) (_ *flagServer, err error) {
	d, err := w.database(ctx, fmt.Sprintf("bench_flags_%d", s.tenants), w.load(s))
	if err != nil {
		return nil, err
	}
	f := &flagServer{shape: s}
	if f.token, err = w.token(1); err != nil {
		return nil, err
	}
	if f.db, err = pgx.Connect(ctx, d.superURL); err != nil {
		return nil, err
	}
	if f.process, err = w.serve(ctx, d); err != nil {
		return nil, errors.Join(err, f.db.Close(context.WithoutCancel(ctx)))
	}
	return f, nil
}

func (f *flagServer) close() error {
	return errors.Join(f.stop(), f.db.Close(context.Background()))
}

func (f *flagServer) evaluate(token, key string) ([]byte, error) {
	return traffic.Ask(f.address, traffic.Post(f.address, "/ofrep/v1/evaluate/flags/"+key, token, flagContext))
}

// plain is a flag that no tenant overrides.
func (f *flagServer) plain() string { return fmt.Sprintf("flag_%03d", f.shape.flags-1) }

// changed runs statement, which turns a flag on and off, and measures until the server says so.
func (f *flagServer) changed(ctx context.Context, statement, key string) func(context.Context, int, time.Duration) (sample, error) {
	on := false
	return func(_ context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			return worker{done: func() {}, do: func() error {
				on = !on
				if _, err := f.db.Exec(ctx, statement, on); err != nil {
					return err
				}
				want := fmt.Appendf(nil, `"value":%t`, on)
				for {
					answer, err := f.evaluate(f.token, key)
					if err != nil || bytes.Contains(answer, want) || ctx.Err() != nil {
						return errors.Join(err, ctx.Err())
					}
				}
			}}, nil
		})
	}
}

// measureFlagScale asks what flags cost on a large platform, beside a small one.
func measureFlagScale(ctx context.Context, w *world) (_ *result, err error) {
	var servers []*flagServer
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.close())
		}
	}()
	r := &result{}
	for _, s := range flagSizes {
		server, err := w.flagServer(ctx, s)
		if err != nil {
			return nil, err
		}
		servers = append(servers, server)
		if err := r.noteMemory(w, server); err != nil {
			return nil, err
		}
	}
	small, large := servers[0], servers[1]
	definition := func(s *flagServer) func(context.Context, int, time.Duration) (sample, error) {
		return s.changed(ctx, "update public.feature_flags set default_enabled = $1 where flag_key = '"+s.plain()+"'", s.plain())
	}
	override := fmt.Sprintf("update public.tenant_feature_flags set enabled = $1 where tenant_id = '%s' and feature_flag_id = md5('flag 1')::uuid", tenantID(1))
	single := func(s *flagServer) func(context.Context, int, time.Duration) (sample, error) {
		return sending(s.address, traffic.Post(s.address, "/ofrep/v1/evaluate/flags/"+s.plain(), s.token, flagContext))
	}
	r.Series, err = interleave(ctx, w, []variant{
		{nameLargeFlags, 16, false, single(large)},
		{nameSmallFlags, 16, true, single(small)},
		{nameDefinition + ", 10,000 flags", 1, false, definition(large)},
		{nameDefinition + ", 100 flags", 1, true, definition(small)},
		{nameOverride + ", 100 of 10,000 flags", 1, false, large.changed(ctx, override, "flag_001")},
		{nameOverride + ", 1 of 100 flags", 1, true, small.changed(ctx, override, "flag_001")},
	})
	if err != nil {
		return nil, err
	}
	r.ratio("evaluations on the large platform over those on the small one", atLeast, 0.9,
		r.find(nameLargeFlags, 16).Median.PerSecond/r.find(nameSmallFlags, 16).Median.PerSecond)
	r.ratio("a changed definition, large over small", information, 0,
		r.find(nameDefinition+", 10,000 flags", 1).Median.typical()/r.find(nameDefinition+", 100 flags", 1).Median.typical())
	r.ratio("a changed override, large over small", information, 0,
		r.find(nameOverride+", 100 of 10,000 flags", 1).Median.typical()/r.find(nameOverride+", 1 of 100 flags", 1).Median.typical())
	return r, nil
}

// noteMemory has callers of many tenants ask once, and says what the server takes.
func (r *result) noteMemory(w *world, s *flagServer) error {
	first, err := s.evaluate(s.token, s.plain())
	if err != nil {
		return err
	}
	if !bytes.Contains(first, []byte(`"value"`)) {
		return fmt.Errorf("not a flag: %s", first)
	}
	before, err := s.resident()
	if err != nil {
		return err
	}
	callers := min(flagCallers, s.shape.tenants)
	for n := 1; n <= callers; n++ {
		token, err := w.token(n)
		if err != nil {
			return err
		}
		if _, err := s.evaluate(token, s.plain()); err != nil {
			return err
		}
	}
	after, err := s.resident()
	if err != nil {
		return err
	}
	r.note("%s flags, %s tenants: %.0f MB with the definitions; %.0f MB when callers of %d tenants with %d overrides each are remembered (%.1f kB each).",
		thousands(s.shape.flags), thousands(s.shape.tenants), before/1e6, after/1e6, callers, s.shape.overrides, (after-before)/1e3/float64(callers))
	return nil
}
