package postgres_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/postgres"
)

// slowToCancel stands before the server at address and takes its time over requests to cancel, which it drops in
// the end. What it returns says of each whether the one that asked had hung up by then.
func slowToCancel(t *testing.T, address string, delay time.Duration) (through string, hungUp <-chan bool) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	target := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	u.Host = listener.Addr().String()
	gone := make(chan bool, 10)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				first := make([]byte, 8) // a length, and what is wanted
				if _, err := io.ReadFull(client, first); err != nil {
					return
				}
				if binary.BigEndian.Uint32(first[4:]) == 80877102 {
					_ = client.SetReadDeadline(time.Now().Add(delay))
					_, err := io.Copy(io.Discard, client)
					gone <- err == nil
					return
				}
				server, err := net.Dial("tcp", target)
				if err != nil {
					return
				}
				defer server.Close()
				if _, err := server.Write(first); err != nil {
					return
				}
				go func() { _, _ = io.Copy(client, server) }()
				_, _ = io.Copy(server, client)
			}()
		}
	}()
	return u.String(), gone
}

// TestCancel_HearsTheAnswer: who asks for a statement to be cancelled does not hang up before the answer, even if
// the statement is over by then, or nobody waits for it any more. Before version 1.19.1 PgBouncer would end.
func TestCancel_HearsTheAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Config{})
	const long = "select pg_sleep(0.6)"
	ways := map[string]func(ctx context.Context, db *postgres.DB, text string) error{
		"tenant": func(ctx context.Context, db *postgres.DB, text string) error {
			work := &postgres.Work{Name: "Test"}
			work.Query(text, nil)
			return db.InTenant(ctx, bob, "", work)
		},
		"service": func(ctx context.Context, db *postgres.DB, text string) error {
			return db.AsService(ctx, "Test", func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, text)
				return err
			})
		},
	}
	for name, run := range ways {
		for when, delay := range map[string]time.Duration{"soon": time.Second, "late": 3 * time.Second} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				address, hungUp := slowToCancel(t, map[string]string{"tenant": b.APIURL, "service": b.ServiceURL}[name], delay)
				config := postgres.Config{MaxConns: 1, AcquireTimeout: 10 * time.Second}
				*map[string]*string{"tenant": &config.URL, "service": &config.ServiceURL}[name] = address
				db := b.Open(t, config)
				require.NoError(t, run(context.Background(), db, "select 1"))
				ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
				defer cancel()
				_ = run(ctx, db, long) // whether it was kept is not the point
				require.False(t, <-hungUp)
				require.NoError(t, run(context.Background(), db, "select 1"))
			})
		}
	}
}
