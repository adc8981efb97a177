package main

import (
	"context"
	"errors"

	"github.com/vital-db/vital/internal/traffic"
)

const (
	nameWarm       = "GET /v1/context, from memory"
	nameUnchanged  = "GET /v1/context, If-None-Match, 304"
	nameBareWarm   = "bare net/http, same bytes"
	nameBareNot    = "bare net/http, 304"
	nameInTurns    = "GET /v1/context, two tenants in turns"
	nameSwitch     = "a switch of the default tenant, and the context then"
	cachingClients = 16
)

// measureCaching measures a context from memory against a handler that does nothing but answer the same bytes.
func measureCaching(ctx context.Context, w *world) (_ *result, err error) {
	d, err := w.contextDatabase(ctx)
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
	body, err := readContext(server.address, token)
	if err != nil {
		return nil, err
	}
	bare, err := w.bare(ctx, body)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	request := traffic.Get(server.address, "/v1/context", token)
	_, validator, err := traffic.AskValidator(server.address, request)
	if err != nil {
		return nil, err
	}
	plain := traffic.Get(bare.address, "/", token)
	unchanged := func(request []byte) []byte { return traffic.WithHeader(request, "If-None-Match", validator) }
	of, ofBare := server.cmd.Process.Pid, bare.cmd.Process.Pid
	var variants []variant
	for _, clients := range []int{cachingClients, 1} {
		variants = append(variants,
			variant{nameWarm, clients, false, w.accounted(of, sending(server.address, request))},
			variant{nameBareWarm, clients, true, w.accounted(ofBare, sending(bare.address, plain))},
			variant{nameUnchanged, clients, false, w.accounted(of, sending(server.address, unchanged(request)))},
			variant{nameBareNot, clients, true, w.accounted(ofBare, sending(bare.address, unchanged(plain)))})
	}
	switches, err := switching(server.address, token, body)
	if err != nil {
		return nil, err
	}
	variants = append(variants,
		variant{nameInTurns, cachingClients, false, w.accounted(of, inTurns(server.address, switches.named...))},
		variant{nameInTurns, 1, false, w.accounted(of, inTurns(server.address, switches.named...))},
		variant{nameSwitch, 1, false, w.accounted(of, switches.run)})
	series, err := interleave(ctx, w, variants)
	if err != nil {
		return nil, err
	}
	return cachingResult(series, len(body)), nil
}

func cachingResult(all []*series, size int) *result {
	r := &result{Series: all}
	of := func(name string) sample { return r.find(name, cachingClients).Median }
	warm, unchanged, bare, bareNot := of(nameWarm), of(nameUnchanged), of(nameBareWarm), of(nameBareNot)
	r.note("The answer has %d bytes. The bare handler is sent the same request, token included, and reads none of it.", size)
	r.ratio("from memory over the bare handler", atLeast, 0.8, warm.PerSecond/bare.PerSecond)
	r.ratio("p99 from memory over the bare handler's", atMost, 2, warm.P99/bare.P99)
	r.ratio("304 over the bare handler with the same bytes", atLeast, 0.85, unchanged.PerSecond/bare.PerSecond)
	r.ratio("two tenants in turns, named by a header, over one", information, 0, of(nameInTurns).PerSecond/warm.PerSecond)
	r.ratio("a switch of the default tenant and the context then, ms", information, 0, r.find(nameSwitch, 1).Median.typical())
	r.ratio("304 over a bare 304", information, 0, unchanged.PerSecond/bareNot.PerSecond)
	if bare.cpu() > 0 {
		r.ratio("CPU time from memory over the bare handler's", information, 0, warm.ServerCPU/bare.ServerCPU)
		r.ratio("CPU time of a 304 over the bare handler with the same bytes", information, 0, unchanged.ServerCPU/bare.ServerCPU)
	}
	r.plots = []plot{{Title: "Contexts a second, 16 clients", Unit: "per second", Bars: r.bars(cachingClients, sample.rate)}}
	return r
}
