package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/traffic"
)

// flagShape is a platform with 100 flags, of which a tenant overrides 10; every fifth has a rule.
var flagShape = shape{tenants: 1000, flags: 100, overrides: 10}

const (
	nameSingle     = "one flag, POST /ofrep/v1/evaluate/flags/{key}"
	nameRule       = "one flag with a rule"
	nameBulk       = "100 flags, POST /ofrep/v1/evaluate/flags"
	nameNotModifed = "100 flags, If-None-Match, 304"
	nameBareSingle = "bare net/http, bytes of one flag"
	nameBareBulk   = "bare net/http, bytes of 100 flags"
)

const flagContext = `{"context":{"targetingKey":"user-7","email":"user-7@example.test","plan":"pro"}}`

func (w *world) flagDatabase(ctx context.Context) (*target, error) {
	load := w.load(flagShape)
	return w.database(ctx, "bench_flags", func(ctx context.Context, conn *pgx.Conn) error {
		if err := load(ctx, conn); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, loadQueries.Get("Rules"))
		return err
	})
}

// measureFlags measures evaluation over HTTP against a handler that does nothing but answer the same bytes.
func measureFlags(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.flagDatabase(ctx)
	if err != nil {
		return nil, err
	}
	server, err := w.serve(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	token, err := w.token(someone)
	if err != nil {
		return nil, err
	}
	const base = "/ofrep/v1/evaluate/flags"
	single := traffic.Post(server.address, base+"/flag_002", token, flagContext)
	rule := traffic.Post(server.address, base+"/flag_015", token, flagContext)
	bulk := traffic.Post(server.address, base, token, flagContext)
	one, err := traffic.Ask(server.address, single)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(one, []byte(`"reason":"TARGETING_MATCH"`)) {
		return nil, fmt.Errorf("the flag is not overridden: %s", one)
	}
	all, validator, err := traffic.AskValidator(server.address, bulk)
	if err != nil {
		return nil, err
	}
	var answer struct{ Flags []any }
	if err := json.Unmarshal(all, &answer); err != nil || len(answer.Flags) != flagShape.flags {
		return nil, fmt.Errorf("not the flags to measure: %s", all)
	}
	unchanged := traffic.WithHeader(bulk, "If-None-Match", validator)
	bareOne, err := w.bare(ctx, one)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bareOne.stop()) }()
	bareAll, err := w.bare(ctx, all)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bareAll.stop()) }()
	const clients = 16
	series, err := interleave(ctx, w, []variant{
		{nameSingle, clients, false, sending(server.address, single)},
		{nameBareSingle, clients, true, sending(bareOne.address, traffic.Post(bareOne.address, "/", token, flagContext))},
		{nameBulk, clients, false, sending(server.address, bulk)},
		{nameBareBulk, clients, true, sending(bareAll.address, traffic.Post(bareAll.address, "/", token, flagContext))},
		{nameRule, clients, false, sending(server.address, rule)},
		{nameNotModifed, clients, false, sending(server.address, unchanged)},
		{nameSingle, 1, false, sending(server.address, single)},
		{nameBareSingle, 1, true, sending(bareOne.address, traffic.Post(bareOne.address, "/", token, flagContext))},
	})
	if err != nil {
		return nil, err
	}
	return flagsResult(series, len(one), len(all)), nil
}

func flagsResult(all []*series, one, bulk int) *result {
	const clients = 16
	r := &result{Series: all}
	rate := func(name string) float64 { return r.find(name, clients).Median.PerSecond }
	r.note("One flag answers with %d bytes, 100 with %d. A tenant overrides %d; every fifth flag has a rule.", one, bulk, flagShape.overrides)
	r.ratio("one flag over the bare handler", atLeast, 0.6, rate(nameSingle)/rate(nameBareSingle))
	r.ratio("one flag with a rule over the bare handler", information, 0, rate(nameRule)/rate(nameBareSingle))
	r.ratio("304 over the bare handler of one flag's bytes", atLeast, 0.7, rate(nameNotModifed)/rate(nameBareSingle))
	r.ratio("100 flags over the bare handler of one flag's bytes; GO Feature Flag does 0.05", atLeast, 0.15, rate(nameBulk)/rate(nameBareSingle))
	r.ratio("100 flags over the bare handler of the same bytes", information, 0, rate(nameBulk)/rate(nameBareBulk))
	r.plots = []plot{{Title: "Answers a second, 16 clients", Unit: "per second", Bars: r.bars(clients, sample.rate)}}
	return r
}
