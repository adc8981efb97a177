package tenant

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/vital-db/vital/internal/fault"
)

// Carried is what taking keys over came to.
type Carried struct {
	Destroyed int64 `json:"destroyed"`
	Rewrapped int64 `json:"rewrapped"`
	Added     int64 `json:"added"`
	LeftOut   int64 `json:"left_out"`
}

// HaveKeys says whether the database is of a version that has keys of tenants.
func HaveKeys(ctx context.Context, tx pgx.Tx) (have bool, err error) {
	return have, tx.QueryRow(ctx, keyQueries.Get("HaveKeys")).Scan(&have)
}

// ExportKeys writes all keys, wrapped as they are, and which key-encryption keys were retired, a line of JSON each. tx may read schema vital.
func ExportKeys(ctx context.Context, tx pgx.Tx, out io.Writer) (keys int64, err error) {
	for _, query := range []string{"ExportRetired", "ExportKeys"} {
		rows, err := tx.Query(ctx, keyQueries.Get(query))
		if err != nil {
			return keys, err
		}
		var line string
		if _, err = pgx.ForEachRow(rows, []any{&line}, func() error {
			if query == "ExportKeys" {
				keys++
			}
			_, err := io.WriteString(out, line+"\n")
			return err
		}); err != nil {
			return keys, err
		}
	}
	return keys, nil
}

const (
	carryBatch   = 1000
	longestCarry = 64 << 10
)

// CarryKeys takes over what ExportKeys has written of another copy of this database: what was destroyed there is destroyed here too, which
// is recorded; of two that are wrapped the newer counts. tx is an operator's. Errors: Invalid.
func CarryKeys(ctx context.Context, tx pgx.Tx, in io.Reader) (Carried, error) {
	var total Carried
	var keys, retired []json.RawMessage
	flush := func() error {
		if err := carry(ctx, tx, keys, retired, &total); err != nil {
			return err
		}
		keys, retired = keys[:0], retired[:0]
		return nil
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestCarry)
	for number := 1; lines.Scan(); number++ {
		line := bytes.Clone(bytes.TrimSpace(lines.Bytes()))
		var named struct {
			Key *string `json:"key_id"`
			KEK *string `json:"kek_id"`
		}
		if err := json.Unmarshal(line, &named); err != nil || named.KEK == nil {
			return total, fault.Wrap(err, fault.Invalid, fmt.Sprintf("Line %d is no key.", number), "Take the file as `vital keys export` has written it.")
		}
		if named.Key == nil {
			retired = append(retired, line)
		} else {
			keys = append(keys, line)
		}
		if len(keys)+len(retired) >= carryBatch {
			if err := flush(); err != nil {
				return total, err
			}
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return total, fault.New(fault.Invalid, "A line is longer than any key is.", "Take the file as `vital keys export` has written it.")
	} else if err != nil {
		return total, fmt.Errorf("read keys: %w", err)
	}
	return total, flush()
}

func carry(ctx context.Context, tx pgx.Tx, keys, retired []json.RawMessage, total *Carried) error {
	if len(retired) > 0 {
		text, err := json.Marshal(retired)
		if err != nil {
			return fmt.Errorf("write retired keys: %w", err)
		}
		if _, err := tx.Exec(ctx, keyQueries.Get("CarryRetired"), string(text)); err != nil {
			return err
		}
	}
	if len(keys) == 0 {
		return nil
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	var done Carried
	if err := tx.QueryRow(ctx, keyQueries.Get("CarryKeys"), string(text)).Scan(&done.Destroyed, &done.Rewrapped, &done.Added, &done.LeftOut); err != nil {
		return err
	}
	total.Destroyed += done.Destroyed
	total.Rewrapped += done.Rewrapped
	total.Added += done.Added
	total.LeftOut += done.LeftOut
	return nil
}
