package main

import (
	"context"
	"time"

	"github.com/vital-db/vital/internal/traffic"
)

// overHTTP is a variant's run: clients that ask address for path.
func overHTTP(address, path, token string) func(context.Context, int, time.Duration) (sample, error) {
	return sending(address, traffic.Get(address, path, token))
}

// sending is a variant's run: clients that send address the same request.
func sending(address string, request []byte) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			c, err := traffic.Dial(address, request)
			if err != nil {
				return worker{}, err
			}
			return worker{do: c.Do, done: func() { c.Close() }}, nil
		})
	}
}
