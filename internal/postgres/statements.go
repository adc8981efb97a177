package postgres

import (
	"container/list"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// backend is what we know of the server process behind one connection, and the statements prepared
// there. It lives in the connection's CustomData.
type backend struct {
	pid        uint32        // 0 where a pooler stands between:
	pooled     bool          // then the next transaction may meet another process, and what is prepared is gone
	clock      time.Duration // the database's clock minus ours
	reached    LSN           // a position this server has told here
	statements map[string]*pgconn.StatementDescription
	shapes     shapes
}

// meetBackend runs once on every new connection: whether it is direct, and what the clock there says.
func meetBackend(ctx context.Context, conn *pgx.Conn) error {
	var pid uint32
	var there time.Time
	before := time.Now()
	if err := conn.QueryRow(ctx, queries.Get("MeetBackend")).Scan(&pid, &there); err != nil {
		return fmt.Errorf("meet backend: %w", err)
	}
	here := before.Add(time.Since(before) / 2)
	b := &backend{clock: there.Sub(here)}
	b.reset()
	// A pooler makes up the number it tells its clients to cancel by: the process is another, if not each time.
	if b.pooled = pid != conn.PgConn().PID(); !b.pooled {
		b.pid = pid
	}
	conn.PgConn().CustomData()["backend"] = b
	return nil
}

func backendOf(conn *pgx.Conn) *backend {
	return conn.PgConn().CustomData()["backend"].(*backend) //nolint:forcetypeassert // set by meetBackend on every connection
}

// statement returns text as prepared on this connection, made if need be. Texts are constants of ours, so
// there are only so many. Behind a pooler it has no name: its types are known, and it is parsed anew
// each time it runs.
func (b *backend) statement(ctx context.Context, conn *pgx.Conn, text string) (*pgconn.StatementDescription, error) {
	if prepared, ok := b.statements[text]; ok {
		return prepared, nil
	}
	var prepared *pgconn.StatementDescription
	var err error
	if b.pooled {
		t := &turn{}
		if conn.PgConn().TxStatus() == 'I' { // otherwise the process is ours
			addPooledScrub(t)
		}
		t.describe(text, func(described *pgconn.StatementDescription) { prepared = described })
		err = t.exchange(ctx, conn)
	} else {
		prepared, err = conn.Prepare(ctx, randomName(), text)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	b.statements[text] = prepared
	return prepared, nil
}

// randomName names a prepared statement such that SQL in a tenant's transaction can't know which to
// replace; the function that would list them is revoked.
func randomName() string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	return "v" + hex.EncodeToString(random[:])
}

// reset forgets all prepared statements.
func (b *backend) reset() {
	b.statements = map[string]*pgconn.StatementDescription{}
	b.shapes = shapes{known: map[string]*list.Element{}}
}

// forget makes the connection as new: nothing a foreign function left behind outlives it.
func (b *backend) forget(ctx context.Context, conn *pgx.Conn) error {
	b.reset()
	if err := conn.DeallocateAll(ctx); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "discard all")
	return err
}

const (
	// maxShapes bounds what one connection remembers of generated statements, maxShapesBytes all their text: a
	// prepared one costs the server some two hundred times its text.
	maxShapes      = 128
	maxShapesBytes = 128 << 10
	// maxShapeBytes is the longest text worth remembering.
	maxShapeBytes = 16 << 10
)

// shapes are the generated statements of one connection, the least recently used last. A text met for the
// first time runs unnamed; the second time it is prepared on the way, in the same round trip. So whoever
// sends ever new shapes pays for parsing them, and pushes out nothing but shapes.
type shapes struct {
	known  map[string]*list.Element
	recent list.List
	bytes  int // of all texts
}

type shape struct {
	text     string
	prepared *pgconn.StatementDescription // nil until it is met again
	in       *turn                        // that met it last: one turn prepares it once
}

// addShape queues a generated statement.
func (b *backend) addShape(t *turn, text string, values [][]byte, read func(*pgconn.ResultReader) error) {
	if b.pooled || len(text) > maxShapeBytes {
		t.add(text, values, read)
		return
	}
	element, met := b.shapes.known[text]
	if !met {
		b.shapes.known[text] = b.shapes.recent.PushFront(&shape{text: text, in: t})
		b.shapes.bytes += len(text)
		t.add(text, values, read)
		return
	}
	b.shapes.recent.MoveToFront(element)
	known := element.Value.(*shape) //nolint:forcetypeassert // nothing else is put in
	if known.prepared != nil {
		t.addPrepared(known.prepared, values, read)
		return
	}
	if known.in == t {
		t.add(text, values, read)
		return
	}
	known.in = t
	t.steps = append(t.steps, step{
		text: text, name: randomName(), values: values, read: read,
		prepared: func(statement *pgconn.StatementDescription) { known.prepared = statement },
	})
}

// trimShapes drops the least recently used shapes when there are too many, before a turn of their own.
func (b *backend) trimShapes(ctx context.Context, conn *pgx.Conn) error {
	for b.shapes.recent.Len() > maxShapes || b.shapes.bytes > maxShapesBytes {
		oldest := b.shapes.recent.Remove(b.shapes.recent.Back()).(*shape) //nolint:forcetypeassert // nothing else is put in
		delete(b.shapes.known, oldest.text)
		b.shapes.bytes -= len(oldest.text)
		if oldest.prepared == nil {
			continue
		}
		if err := conn.PgConn().Deallocate(ctx, oldest.prepared.Name); err != nil {
			return err
		}
	}
	return nil
}
