// Command vital is the tenant data plane for a SaaS on PostgreSQL: one binary beside a Postgres.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/vital-db/vital/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Environ(), cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
