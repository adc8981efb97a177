package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Listen hears what is notified on channel until ctx ends, on a connection of its own. Anybody may notify:
// what is heard is a hint and nothing to believe. heard is called with "" once it listens,
// and each time it listens again, since something may have been missed.
func (s *Service) Listen(ctx context.Context, channel string, heard func(payload string)) {
	s.pool.listen(ctx, channel, heard)
}

func (p *pool) listen(ctx context.Context, channel string, heard func(payload string)) {
	const between = 2 * time.Second
	for ctx.Err() == nil {
		_ = p.listenOnce(ctx, channel, heard) // what ended it does not matter: it is begun again
		select {
		case <-ctx.Done():
		case <-time.After(between):
		}
	}
}

func (p *pool) listenOnce(ctx context.Context, channel string, heard func(payload string)) error {
	config := p.Config().ConnConfig.Copy()
	config.OnNotification = nil // so that they are kept until they are waited for
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	heard("") // what changed before is heard of by looking
	for {
		notification, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		heard(notification.Payload)
	}
}
