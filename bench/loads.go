package main

import (
	"context"
	"errors"

	"github.com/vital-db/vital/internal/traffic"
)

const (
	nameRecorded   = "GET /v1/context from memory, loads recorded"
	nameUnrecorded = "GET /v1/context from memory, not recorded"
	nameListOn     = "48 rows, loads recorded"
	nameListOff    = "48 rows, not recorded"
)

// measureLoads measures what the records of loads cost: two servers of one database, of which one keeps none.
func measureLoads(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.restDatabase(ctx)
	if err != nil {
		return nil, err
	}
	token, err := w.token(someone)
	if err != nil {
		return nil, err
	}
	var variants []variant
	for _, s := range []struct {
		rate, context, list string
	}{{"50", nameRecorded, nameListOn}, {"0", nameUnrecorded, nameListOff}} {
		server, err := w.serve(ctx, d, "VITAL_LOAD_RATE="+s.rate)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, server.stop()) }()
		variants = append(variants,
			variant{s.context, cachingClients, s.rate == "0", w.accounted(server.cmd.Process.Pid, sending(server.address, traffic.Get(server.address, "/v1/context", token)))},
			variant{s.list, cachingClients, s.rate == "0", w.accounted(server.cmd.Process.Pid, sending(server.address, traffic.Get(server.address, restPath, token)))})
	}
	series, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	r := &result{Series: series}
	of := func(name string) sample { return r.find(name, cachingClients).Median }
	r.ratio("contexts a second with records over without", atLeast, 0.98, of(nameRecorded).PerSecond/of(nameUnrecorded).PerSecond)
	r.ratio("lists a second with records over without", atLeast, 0.98, of(nameListOn).PerSecond/of(nameListOff).PerSecond)
	r.ratio("CPU of server and database a context, with records over without", information, 0, of(nameRecorded).cpu()/of(nameUnrecorded).cpu())
	r.ratio("CPU of server and database a list, with records over without", information, 0, of(nameListOn).cpu()/of(nameListOff).cpu())
	return r, nil
}
