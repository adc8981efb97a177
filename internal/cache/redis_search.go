package cache

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/rueidis"

	"github.com/vital-db/vital/internal/fault"
)

const (
	// searchPatience bounds one command of a search, which nobody waits for.
	searchPatience = 10 * time.Second
	// searchPage is about how much of a large value is read at once.
	searchPage = 500
)

// openSearch connects to a Redis for reading all of it.
func openSearch(ctx context.Context, address string) (*link, []rueidis.Client, error) {
	options, err := redisOptions(address)
	if err != nil {
		return nil, nil, err
	}
	l := openLink(options, "", searchPatience, slog.New(slog.DiscardHandler), nil)
	if l.up.Load() {
		masters, failed := l.masters(ctx)
		if failed == nil {
			return l, masters, nil
		}
		err = failed
	}
	l.close()
	return nil, nil, fault.Wrap(err, fault.ConfigInvalid, "The Redis of VITAL_REDIS_URL is not reached.", "Start it, or leave the setting out where there is none any more.")
}

// DropTenant drops every key that names a tenant, VITAL's and any other's: tenant:<id>:…, and leases of such. It returns how many there were.
func DropTenant(ctx context.Context, address string, tenant uuid.UUID) (dropped int64, err error) {
	l, masters, err := openSearch(ctx, address)
	if err != nil {
		return 0, err
	}
	defer l.close()
	for _, node := range masters {
		err := scanKeys(ctx, node, "*tenant:"+tenant.String()+":*", func(key string) error {
			n, err := node.Do(ctx, node.B().Unlink().Key(key).Build()).AsInt64()
			dropped += n
			return err
		})
		if err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}

// Search hands each every key of a Redis, whoever has put it there, with all that it holds, some at a time and in no order: the same key may
// come more than once. It returns how many keys there are. What comes and goes meanwhile may be missed.
func Search(ctx context.Context, address string, each func(key string, value []byte) error) (keys int64, err error) {
	l, masters, err := openSearch(ctx, address)
	if err != nil {
		return 0, err
	}
	defer l.close()
	for _, node := range masters {
		err := scanKeys(ctx, node, "*", func(key string) error {
			keys++
			if err := each(key, nil); err != nil {
				return err
			}
			return readAll(ctx, node, key, each)
		})
		if err != nil {
			return keys, err
		}
	}
	return keys, nil
}

func scanKeys(ctx context.Context, node rueidis.Client, pattern string, each func(key string) error) error {
	for cursor := uint64(0); ; {
		page, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(pattern).Count(1000).Build()).AsScanEntry()
		if err != nil {
			return err
		}
		for _, key := range page.Elements {
			if err := each(key); err != nil {
				return err
			}
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}

// readAll reads a value of any of Redis' kinds; one of a kind that a module brings is handed over as it is dumped.
func readAll(ctx context.Context, node rueidis.Client, key string, each func(string, []byte) error) error {
	kind, err := node.Do(ctx, node.B().Type().Key(key).Build()).ToString()
	if err != nil {
		return err
	}
	switch kind {
	case "none": // it is gone
		return nil
	case "string":
		return handOver(node.Do(ctx, node.B().Get().Key(key).Build()), key, each)
	case "hash":
		return readPages(key, each, func(cursor uint64) rueidis.RedisResult {
			return node.Do(ctx, node.B().Hscan().Key(key).Cursor(cursor).Count(searchPage).Build())
		})
	case "set":
		return readPages(key, each, func(cursor uint64) rueidis.RedisResult {
			return node.Do(ctx, node.B().Sscan().Key(key).Cursor(cursor).Count(searchPage).Build())
		})
	case "zset":
		return readPages(key, each, func(cursor uint64) rueidis.RedisResult {
			return node.Do(ctx, node.B().Zscan().Key(key).Cursor(cursor).Count(searchPage).Build())
		})
	case "list":
		return readList(ctx, node, key, each)
	case "stream":
		return readStream(ctx, node, key, each)
	}
	return handOver(node.Do(ctx, node.B().Dump().Key(key).Build()), key, each)
}

func handOver(answer rueidis.RedisResult, key string, each func(string, []byte) error) error {
	text, err := answer.ToString()
	if rueidis.IsRedisNil(err) {
		return nil
	} else if err != nil {
		return err
	}
	return each(key, []byte(text))
}

func readPages(key string, each func(string, []byte) error, read func(cursor uint64) rueidis.RedisResult) error {
	for cursor := uint64(0); ; {
		page, err := read(cursor).AsScanEntry()
		if err != nil {
			return err
		}
		if err := each(key, []byte(strings.Join(page.Elements, "\n"))); err != nil {
			return err
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}

func readList(ctx context.Context, node rueidis.Client, key string, each func(string, []byte) error) error {
	for from := int64(0); ; from += searchPage {
		page, err := node.Do(ctx, node.B().Lrange().Key(key).Start(from).Stop(from+searchPage-1).Build()).AsStrSlice()
		if err != nil || len(page) == 0 {
			return err
		}
		if err := each(key, []byte(strings.Join(page, "\n"))); err != nil {
			return err
		}
	}
}

func readStream(ctx context.Context, node rueidis.Client, key string, each func(string, []byte) error) error {
	for from := "-"; ; {
		page, err := node.Do(ctx, node.B().Xrange().Key(key).Start(from).End("+").Count(searchPage).Build()).AsXRange()
		if err != nil || len(page) == 0 {
			return err
		}
		for _, entry := range page {
			for field, value := range entry.FieldValues {
				if err := each(key, []byte(field+"\n"+value)); err != nil {
					return err
				}
			}
		}
		from = "(" + page[len(page)-1].ID
	}
}
