package postgres

import (
	"context"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// maxJobConns is how many connections the library of background jobs may hold at a time.
const maxJobConns = 3

// OpenJobs connects as the service login for river, the library of background jobs, which keeps its own
// tables in schema vital; done closes the connections. What a job does to the product's data goes through
// AsService. Of config it uses ServiceURL.
func OpenJobs(ctx context.Context, config Config) (driver *riverpgxv5.Driver, done func(), err error) {
	conns, err := openPool(ctx, config.ServiceURL, maxJobConns, config.withDefaults())
	if err != nil {
		return nil, nil, err
	}
	return riverpgxv5.New(conns.Pool), conns.Close, nil
}
