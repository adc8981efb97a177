package fair_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/fair"
)

// tenants returns n tenants that a directory knows, and for each a claim of one of its users.
func tenants(n int) []fair.Claim {
	d := fair.NewDirectory(100)
	claims := make([]fair.Claim, n)
	for i := range claims {
		who := fair.Caller{Who: uuid.New()}
		d.Learn(who, uuid.New())
		claims[i] = fair.Claim{Party: d.Find(who), Member: who.Who}
	}
	return claims
}

// take has a turn that must be there at once.
func take(t *testing.T, q *fair.Queue, claim fair.Claim) *fair.Turn {
	t.Helper()
	turn, err := q.Take(t.Context(), claim, 0)
	require.NoError(t, err)
	return turn
}

// takeAll has as many turns as there are at once.
func takeAll(t *testing.T, q *fair.Queue, claim fair.Claim) (turns []*fair.Turn) {
	t.Helper()
	for {
		turn, err := q.Take(t.Context(), claim, time.Nanosecond)
		if err != nil {
			return turns
		}
		turns = append(turns, turn)
	}
}

func TestQueue_AloneATenantHasAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(4)
		of := tenants(1)
		turns := takeAll(t, q, of[0])
		require.Len(t, turns, 4)
		_, err := q.Take(t.Context(), of[0], time.Second)
		require.ErrorIs(t, err, fair.ErrSaturated, "it keeps nobody from anything")
		for _, turn := range turns {
			turn.Done()
		}
		require.Len(t, takeAll(t, q, of[0]), 4)
	})
}

// TestQueue_LeavesRoom: while others are about, one that takes all it can get leaves half, two leave a third.
func TestQueue_LeavesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(12)
		of := tenants(3)
		take(t, q, of[1]).Done()
		heavy := takeAll(t, q, of[0])
		require.Len(t, heavy, 6)
		_, err := q.Take(t.Context(), of[0], time.Second)
		var rejected *fair.RejectedError
		require.ErrorAs(t, err, &rejected, "what it waits for are its own")
		require.Equal(t, fair.TooLong, rejected.Reason)
		require.Equal(t, int64(2), q.Stat().HeldBack)
		require.Len(t, takeAll(t, q, of[1]), 3)
		require.Len(t, takeAll(t, q, of[2]), 2)
		heavy[0].Done()
		require.Empty(t, takeAll(t, q, of[0]), "it has more than its share already")
		require.Empty(t, takeAll(t, q, of[1]), "and so has this one")
	})
}

func TestQueue_ForgetsANeighbour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(4)
		of := tenants(2)
		take(t, q, of[1]).Done()
		require.Len(t, takeAll(t, q, of[0]), 2)
		time.Sleep(11 * time.Second)
		require.Len(t, takeAll(t, q, of[0]), 2, "it is alone")
	})
}

// TestQueue_SharesByTime: two tenants that always want more get the same time, though the turns of one take ten times as
// long as those of the other.
func TestQueue_SharesByTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(1)
		of := tenants(2)
		var had [2]time.Duration
		var running sync.WaitGroup
		for i, long := range []time.Duration{100 * time.Millisecond, 10 * time.Millisecond} {
			for range 3 {
				running.Go(func() {
					for end := time.Now().Add(time.Minute); time.Now().Before(end); {
						turn, err := q.Take(t.Context(), of[i], time.Hour)
						if err != nil {
							t.Error(err)
							return
						}
						time.Sleep(long)
						had[i] += long
						turn.Done()
					}
				})
			}
		}
		running.Wait()
		require.InEpsilon(t, had[0], had[1], 0.05)
	})
}

// TestQueue_NewcomerIsNext: whoever has had little comes before those of the heavy tenant who wait already.
func TestQueue_NewcomerIsNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(2)
		of := tenants(2)
		heavy := takeAll(t, q, of[0])
		time.Sleep(time.Second)
		var order []string
		var running sync.WaitGroup
		wait := func(name string, claim fair.Claim) {
			running.Go(func() {
				turn, err := q.Take(t.Context(), claim, time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, name)
				time.Sleep(time.Millisecond)
				turn.Done()
			})
			synctest.Wait()
		}
		for range 5 {
			wait("heavy", of[0])
		}
		wait("light", of[1])
		heavy[0].Done()
		synctest.Wait()
		heavy[1].Done()
		running.Wait()
		require.Equal(t, "light", order[0])
		require.Len(t, order, 6)
	})
}

func TestQueue_MembersTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(1)
		first := tenants(1)[0]
		second := fair.Claim{Party: first.Party, Member: uuid.New()}
		held := take(t, q, first)
		var order string
		var running sync.WaitGroup
		for name, claim := range map[string]fair.Claim{"a": first, "b": second} {
			for range 3 {
				running.Go(func() {
					turn, err := q.Take(t.Context(), claim, time.Hour)
					if err != nil {
						t.Error(err)
						return
					}
					order += name
					turn.Done()
				})
			}
			synctest.Wait()
		}
		held.Done()
		running.Wait()
		require.Contains(t, []string{"ababab", "bababa"}, order)
	})
}

func TestQueue_AtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(8)
		claim := tenants(1)[0]
		claim.AtOnce = 2
		require.Len(t, takeAll(t, q, claim), 2, "alone, too")
		_, err := q.Take(t.Context(), claim, time.Second)
		var rejected *fair.RejectedError
		require.ErrorAs(t, err, &rejected)
		claim.AtOnce = 3
		require.Len(t, takeAll(t, q, claim), 1)
	})
}

func TestQueue_IsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(1)
		of := tenants(2)
		held := take(t, q, of[0])
		var running sync.WaitGroup
		for range 16 {
			running.Go(func() {
				if turn, err := q.Take(t.Context(), of[0], time.Hour); err == nil {
					turn.Done()
				}
			})
		}
		synctest.Wait()
		require.Equal(t, 16, q.Stat().Waiting)
		_, err := q.Take(t.Context(), of[0], time.Hour)
		var rejected *fair.RejectedError
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, fair.TooMany, rejected.Reason)
		running.Go(func() {
			turn, err := q.Take(t.Context(), of[1], time.Hour)
			if err != nil {
				t.Error("the bound of one is not that of others:", err)
				return
			}
			turn.Done()
		})
		synctest.Wait()
		held.Done()
		running.Wait()
		require.Zero(t, q.Stat().Waiting)
	})
}

// TestQueue_NothingIsLost: many that come, wait, give up and are cancelled at any moment leave every turn behind.
func TestQueue_NothingIsLost(t *testing.T) {
	t.Parallel()
	const size = 4
	q := fair.NewQueue(size)
	of := append(tenants(5), fair.Claim{})
	of[1].AtOnce = 1
	var running sync.WaitGroup
	var mu sync.Mutex
	held := map[int]int{}
	for n := range 60 {
		running.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			for range 200 {
				i := random.IntN(len(of))
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.Int64N(int64(2*time.Millisecond))))
				turn, err := q.Take(ctx, of[i], time.Duration(random.Int64N(int64(2*time.Millisecond))))
				cancel()
				if err != nil {
					continue
				}
				mu.Lock()
				held[i]++
				held[-1]++
				if held[-1] > size || held[1] > 1 {
					t.Error("too many turns at one time:", held)
				}
				mu.Unlock()
				time.Sleep(time.Duration(random.Int64N(int64(200 * time.Microsecond))))
				mu.Lock()
				held[i]--
				held[-1]--
				mu.Unlock()
				turn.Done()
			}
		})
	}
	running.Wait()
	require.Zero(t, q.Stat().Waiting)
	for range size { // nobody's: it would have to leave room, if it were not for its having none
		turn, err := q.Take(t.Context(), tenants(1)[0], 0)
		require.NoError(t, err)
		defer turn.Done()
	}
}

// TestQueue_Strangers: those whose tenant is not known take turns as one crowd, in which nobody answers for the others.
func TestQueue_Strangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(4)
		d := fair.NewDirectory(100)
		claim := func() fair.Claim {
			who := fair.Caller{Who: uuid.New()}
			return fair.Claim{Party: d.Find(who), Member: who.Who}
		}
		take(t, q, tenants(1)[0]).Done()
		var held []*fair.Turn
		for range 2 {
			held = append(held, take(t, q, claim()))
		}
		_, err := q.Take(t.Context(), claim(), time.Second)
		require.ErrorIs(t, err, fair.ErrSaturated, "all of them have what one tenant may have, and that is not this one's doing")

		hasty := claim()
		var running sync.WaitGroup
		for range 16 {
			running.Go(func() {
				if turn, err := q.Take(t.Context(), hasty, time.Hour); err == nil {
					time.Sleep(time.Millisecond)
					turn.Done()
				}
			})
		}
		synctest.Wait()
		_, err = q.Take(t.Context(), hasty, time.Hour)
		var rejected *fair.RejectedError
		require.ErrorAs(t, err, &rejected)
		var first time.Duration
		began := time.Now()
		running.Go(func() {
			turn, err := q.Take(t.Context(), claim(), time.Hour)
			if err != nil {
				t.Error("one who asks too much keeps another out:", err)
				return
			}
			first = time.Since(began)
			turn.Done()
		})
		synctest.Wait()
		held[0].Done()
		held[1].Done()
		running.Wait()
		require.Less(t, first, 3*time.Millisecond, "the others' come in turns with all of the hasty one's")
	})
}

// TestQueue_Rush: whoever comes in a rush that passes is served; in one that stays, those who are served have not waited for long, and
// as many are as before.
func TestQueue_Rush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := fair.NewQueue(1)
		of := tenants(100)
		const patience, long = 2 * time.Second, 10 * time.Millisecond
		var running sync.WaitGroup
		var mu sync.Mutex
		var served, refused int
		var longest time.Duration
		ask := func(n int) {
			running.Go(func() {
				came := time.Now()
				turn, err := q.Take(t.Context(), of[n%len(of)], patience)
				waited := time.Since(came)
				if err == nil {
					time.Sleep(long)
					turn.Done()
				}
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					refused++
					return
				}
				served, longest = served+1, max(longest, waited)
			})
		}
		for n := range 90 {
			ask(n)
		}
		running.Wait()
		require.Equal(t, []int{90, 0}, []int{served, refused})

		rush := func(lasting time.Duration) {
			for n, end := 0, time.Now().Add(lasting); time.Now().Before(end); n++ {
				ask(n)
				time.Sleep(long / 3)
			}
		}
		rush(2 * time.Second)
		mu.Lock()
		served, refused, longest = 0, 0, 0
		mu.Unlock()
		rush(10 * time.Second)
		mu.Lock()
		had, missed, waited := served, refused, longest
		mu.Unlock()
		running.Wait()
		require.InEpsilon(t, 1000, had, 0.02, "one at a time, all the time")
		require.Greater(t, missed, 1500)
		require.LessOrEqual(t, waited, patience/4+long)
	})
}
