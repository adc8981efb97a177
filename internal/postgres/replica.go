package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/vital-db/vital/internal/fair"
	"github.com/vital-db/vital/internal/fault"
)

const (
	// replicaLook is how often the primary's position and each replica are looked at, and lookTime how long an
	// answer may take.
	replicaLook, lookTime = time.Second, time.Second
	// replicaPatience is how long a read waits for a free connection to a replica before the primary answers.
	replicaPatience = 250 * time.Millisecond
	// A replica that has not come far enough is not asked for as much again for firstLagPause, which is what one that is well
	// lags, and for twice that each further time, up to longestLagPause.
	firstLagPause, longestLagPause = 10 * time.Millisecond, time.Second
	// longestPause is the most there is between two looks at a replica that is down.
	longestPause = 30 * time.Second
)

// errReplicaDown ends what runs on a replica that has stopped answering.
var errReplicaDown = errors.New("the replica does not answer")

// replica is a streaming standby that answers reads while it is up and has replayed enough.
type replica struct {
	*pool
	name string
	log  *slog.Logger

	served, refused, failed atomic.Int64
	position                atomic.Uint64 // at the last look
	lag                     atomic.Pointer[lag]

	mu      sync.Mutex
	life    context.Context // ends when it goes down; nil while it is
	endLife context.CancelCauseFunc
	why     error         // it is down
	wake    chan struct{} // its watch is to look now
}

// lag is that a replica had not come to a position.
type lag struct {
	missed LSN
	pause  time.Duration
	until  time.Time
}

// ReplicaStat is a moment of one replica, for metrics.
type ReplicaStat struct {
	Name     string // host and port
	Down     bool
	Served   int64 // reads it has answered
	Refused  int64 // reads it had not replayed enough for
	Failed   int64 // reads the primary answered because this one could not
	Position LSN   // at the last look
	Behind   uint64
}

// Replicas returns how the replicas stand now, in the order they were configured.
func (db *DB) Replicas() []ReplicaStat {
	stats := make([]ReplicaStat, 0, len(db.replicas.all))
	for _, r := range db.replicas.all {
		s := ReplicaStat{
			Name: r.name, Down: r.lifetime() == nil, Served: r.served.Load(), Refused: r.refused.Load(), Failed: r.failed.Load(),
			Position: LSN(r.position.Load()),
		}
		if newest := LSN(db.replicas.newest.Load()); newest > s.Position {
			s.Behind = uint64(newest - s.Position)
		}
		stats = append(stats, s)
	}
	return stats
}

// replicas are all of them, and how far the primary is.
type replicas struct {
	all    []*replica
	next   atomic.Uint64
	newest atomic.Uint64 // the primary's position at the last look
	known  atomic.Pointer[known]
	own    written
	done   sync.WaitGroup
}

// known is a position the primary had some replicaLook before at.
type known struct {
	position LSN
	at       time.Time
}

// choose returns the replica that may answer work of user and the position it must have replayed, or nil: the primary
// answers. A transaction of one state takes its snapshot with its first statement, before any could
// find out how far the replica is.
func (s *replicas) choose(user uuid.UUID, work *Work) (*replica, LSN) {
	if len(s.all) == 0 || !work.Replica || work.writes() || work.Isolation != ReadCommitted {
		return nil, 0
	}
	now, least := time.Now(), work.Least
	switch known := s.known.Load(); {
	case known != nil && now.Sub(known.at) <= replicaLook+2*lookTime:
		least = max(least, known.position) // whoever asks for what is long past gets nothing older than others do
	case least == 0:
		return nil, 0 // the primary has not been heard of: nobody knows what a replica lacks
	}
	least = max(least, s.own.least(user))
	first := s.next.Add(1)
	for i := range s.all {
		r := s.all[(first+uint64(i))%uint64(len(s.all))]
		lag := r.lag.Load()
		if r.lifetime() != nil && (lag == nil || least < lag.missed || now.After(lag.until)) {
			return r, least
		}
	}
	return nil, 0
}

// primaryReach is how far the primary must have come for work: what was known a second ago it has. What is newer may
// have been seen on a replica before the primary itself shows it.
func (s *replicas) primaryReach(work *Work) reach {
	if known := s.known.Load(); known != nil && work.Least <= known.position {
		return reach{}
	}
	return reach{least: work.Least, settle: len(s.all) > 0}
}

// lifetime ends when the replica goes down; nil while it is.
func (r *replica) lifetime() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.life
}

// answer runs work on the replica. Where that did not answer it, whatever the reason, it returns false: an
// error of a replica is never the answer, except that the query takes too long.
func (r *replica) answer(ctx context.Context, work *Work, f frame, least LSN) (run attempted, err error, answered bool) {
	life := r.lifetime()
	if life == nil {
		return run, nil, false
	}
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(life, func() { cancel(errReplicaDown) })()
	run, err = r.attempt(within, work, f)
	var pgErr *pgconn.PgError
	var unread unreadError
	switch {
	case err == nil:
		r.served.Add(1)
		if lag := r.lag.Load(); lag != nil && least >= lag.missed {
			r.lag.CompareAndSwap(lag, nil)
		}
		return run, nil, true
	case ctx.Err() != nil:
		return run, err, true // the caller went away, or has no time left
	case mustRecord(err): // where it can be written down
		work.recording = true
		return run, err, false
	case errors.As(err, &pgErr) && pgErr.Code == stateNotReached:
		r.refused.Add(1)
		r.missed(least)
		return run, err, false
	case errors.As(err, &pgErr) && pgErr.Code == stateTimeout && within.Err() == nil:
		return run, err, true
	case errors.As(err, &unread):
		if !lineLost(unread.err) && within.Err() == nil {
			return run, err, true // its reader refused what it read
		}
	case connectionLost(err) || fault.CodeOf(err) == fault.DatabaseUnavailable:
		r.fall(life, err)
	}
	r.failed.Add(1)
	return run, err, false
}

// missed notes that the replica had not come to least.
func (r *replica) missed(least LSN) {
	now, former := time.Now(), r.lag.Load()
	next := &lag{least, firstLagPause, now.Add(firstLagPause)}
	if former != nil {
		if now.Before(former.until) && least >= former.missed {
			return // asked before it was known
		}
		next.pause = min(2*former.pause, longestLagPause)
		next.until = now.Add(next.pause)
	}
	r.lag.CompareAndSwap(former, next)
}

// fall takes the replica out until its watch finds it well again. life is the one err came from: another may
// have begun.
func (r *replica) fall(life context.Context, why error) {
	r.mu.Lock()
	if r.life != life {
		r.mu.Unlock()
		return
	}
	end := r.endLife
	if r.life != nil || fault.CodeOf(r.why) != fault.CodeOf(why) {
		r.log.Warn("a replica is down; the primary answers for it", "replica", r.name, "error", why)
	}
	r.life, r.endLife, r.why = nil, nil, why
	r.mu.Unlock()
	if end == nil {
		return
	}
	end(errReplicaDown)
	r.Reset() // the connections died of the same
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// rise takes the replica in.
func (r *replica) rise() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life != nil {
		return
	}
	r.life, r.endLife = context.WithCancelCause(context.Background())
	r.why = nil
	r.log.Info("a replica answers reads", "replica", r.name)
}

// openReplicas makes the pools and looks at each replica once. One that cannot be reached is looked for again
// later; one that must not be used is an error.
func (db *DB) openReplicas(ctx context.Context) error {
	lookouts := make([]*lookout, 0, len(db.config.ReplicaURLs))
	for _, url := range db.config.ReplicaURLs {
		settings := db.config
		settings.AcquireTimeout = min(settings.AcquireTimeout, replicaPatience)
		conns, err := newPool(ctx, url, settings.MaxConns, settings)
		if err != nil {
			return err
		}
		if settings.Fair {
			conns.queue = fair.NewQueue(int(settings.MaxConns))
		}
		config := conns.Config().ConnConfig
		r := &replica{
			pool: conns, name: config.Host + ":" + strconv.Itoa(int(config.Port)), log: db.config.Log, wake: make(chan struct{}, 1),
		}
		db.replicas.all = append(db.replicas.all, r)
		lookouts = append(lookouts, &lookout{config: config})
	}
	if len(lookouts) == 0 {
		return nil
	}
	primary := &lookout{config: db.Service.pool.Config().ConnConfig}
	self, err := primary.meet(ctx)
	if err != nil {
		primary.close()
		return err
	}
	unsafe := make([]error, len(lookouts))
	var looked sync.WaitGroup
	for i, r := range db.replicas.all {
		looked.Go(func() {
			if err := r.look(ctx, lookouts[i], self); fault.CodeOf(err) == fault.UnsafeDatabaseRole || fault.CodeOf(err) == fault.ConfigInvalid {
				unsafe[i] = err
			}
		})
	}
	looked.Wait()
	if err := errors.Join(unsafe...); err != nil {
		primary.close()
		for _, l := range lookouts {
			l.close()
		}
		return err
	}
	db.watchReplicas(primary, lookouts, self)
	return nil
}

// watchReplicas looks at the primary and each replica until db closes.
func (db *DB) watchReplicas(primary *lookout, lookouts []*lookout, self identification) {
	db.replicas.done.Go(func() {
		defer primary.close()
		for db.background.Err() == nil {
			db.replicas.lookAtPrimary(db.background, primary)
			pause(db.background, replicaLook, nil)
		}
	})
	for i, r := range db.replicas.all {
		db.replicas.done.Go(func() {
			defer lookouts[i].close()
			r.watch(db.background, lookouts[i], self)
		})
	}
}

func (s *replicas) lookAtPrimary(ctx context.Context, primary *lookout) {
	position, err := primary.position(ctx, "FlushedPosition", "")
	if err != nil {
		return // what is known grows old, and is not gone by for long
	}
	// What was newest at the last look has had that long to reach the replicas.
	if former := LSN(s.newest.Swap(uint64(position))); former != 0 {
		s.known.Store(&known{min(former, position), time.Now()})
	}
}

// watch looks at the replica until ctx ends, less often while it is down.
func (r *replica) watch(ctx context.Context, l *lookout, primary identification) {
	wait := replicaLook
	for {
		pause(ctx, wait, r.wake)
		if ctx.Err() != nil {
			return
		}
		if err := r.look(ctx, l, primary); err != nil {
			wait = min(2*wait, longestPause)
		} else {
			wait = replicaLook
		}
	}
}

// look finds out whether the replica is well.
func (r *replica) look(ctx context.Context, l *lookout, primary identification) error {
	life := r.lifetime()
	position, err := l.standbyPosition(ctx, primary)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.fall(life, err)
	default:
		r.position.Store(uint64(position))
		r.rise()
	}
	return err
}

// pause waits for d, or less when told so, or until ctx ends.
func pause(ctx context.Context, d time.Duration, sooner <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	case <-sooner:
		select { // what is there again at once is not asked a thousand times a second
		case <-ctx.Done():
		case <-time.After(d / 10):
		}
	}
}

// lookout is a connection of its own to one server, so that a busy pool does not look like a dead server.
type lookout struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn
}

// identification tells whether two servers hold the same database.
type identification struct {
	system   string
	database uint32
	standby  bool
}

func (l *lookout) connect(ctx context.Context) error {
	if l.conn != nil && !l.conn.IsClosed() {
		return nil
	}
	config := l.config.Copy()
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()} // a server that is frozen is not asked to stop
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		l.conn = conn
	}
	return err
}

func (l *lookout) close() {
	if l.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lookTime)
		defer cancel()
		_ = l.conn.Close(ctx) // it is given up either way
		l.conn = nil
	}
}

func (l *lookout) meet(ctx context.Context) (is identification, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*lookTime)
	defer cancel()
	if err := l.connect(ctx); err != nil {
		return is, translate(ctx, fmt.Errorf("connect: %w", err))
	}
	err = l.conn.QueryRow(ctx, queries.Get("Identification")).Scan(&is.system, &is.database, &is.standby)
	return is, translate(ctx, err)
}

// position asks for one, as role where that is needed. Any failure ends the connection: the next look begins with another.
func (l *lookout) position(ctx context.Context, query, role string) (position LSN, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if err := l.connect(ctx); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	return askPosition(ctx, l.conn, query, role)
}

// standbyPosition is position of a replica; a connection that is new is first held against what it must be.
func (l *lookout) standbyPosition(ctx context.Context, primary identification) (LSN, error) {
	if l.conn == nil || l.conn.IsClosed() {
		if err := l.admit(ctx, primary); err != nil {
			l.close()
			return 0, err
		}
	}
	return l.position(ctx, "Position", observeTenant)
}

func (l *lookout) admit(ctx context.Context, primary identification) error {
	is, err := l.meet(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if err := checkPosture(ctx, l.conn, "VITAL_REPLICA_URLS"); err != nil {
		return err
	}
	if is.system != primary.system || is.database != primary.database {
		return fault.New(fault.ConfigInvalid, "A replica holds another database than the primary.",
			"VITAL_REPLICA_URLS are streaming replicas of the server of VITAL_DATABASE_URL, with the same database.")
	}
	if !is.standby {
		return fault.New(fault.DatabaseUnavailable, "A replica is no standby: it has been promoted, or is the primary.",
			"VITAL_REPLICA_URLS are streaming replicas of the server of VITAL_DATABASE_URL.")
	}
	return nil
}
