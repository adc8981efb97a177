package coherence

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// planted are three servers over one truth, whose caches are as wrong as a test wants them.
type planted struct {
	remember time.Duration // whatever is heard
	mixed    bool          // now and then another tenant's

	mu       sync.Mutex
	numbers  map[string]int64
	position uint64
	cached   map[string]cachedAnswer
}

type cachedAnswer struct {
	body, version string
	until         time.Time
}

func (p *planted) write(letter byte, tenant int, value int64) (position uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.numbers[fmt.Sprintf("%c%d", letter, tenant)] = value
	p.position += 10
	return p.position
}

// answer is a context, as old as the instance's cache has it.
func (p *planted) answer(instance, tenant int) (body, version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := fmt.Sprintf("%d %d", instance, tenant)
	if c := p.cached[key]; time.Now().Before(c.until) {
		return c.body, c.version
	}
	var b strings.Builder
	fmt.Fprintf(&b, `{"organization":{"id":"%s"},"shown":[`, named("tenant %d", tenant))
	for _, letter := range []byte(shown) {
		fmt.Fprintf(&b, `"%s",`, marker(letter, tenant, p.numbers[fmt.Sprintf("%c%d", letter, tenant)]))
	}
	c := cachedAnswer{b.String() + `""]}`, fmt.Sprintf("0.0.0.0.%d", p.position), time.Now().Add(p.remember)}
	p.cached[key] = c
	return c.body, c.version
}

func (p *planted) handler(instance int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant := int(r.Header.Get("Authorization")[len("Bearer ")] - '0')
		if p.mixed && rand.IntN(50) == 0 {
			tenant = 1 - tenant
		}
		body, version := p.answer(instance, tenant)
		w.Header().Set("Vital-Version", version)
		w.Header().Set("ETag", `"`+body+`"`)
		_, _ = io.WriteString(w, body)
	})
}

// ask has a reader read while a writer writes until all that is wanted was found wrong, and returns what was; where
// nothing is wanted, it reads a thousand answers.
func (p *planted) ask(t *testing.T, wanted ...string) string {
	t.Helper()
	p.numbers, p.cached, p.position = map[string]int64{}, map[string]cachedAnswer{}, 1
	s := &stage{config: Config{Tenants: 2}}
	r := &run{config: Config{Log: io.Discard}, tell: math.MaxInt, stage: s, began: time.Now(), failures: map[string]int64{}, examples: map[string]string{}, within: map[string]map[string]int64{}}
	r.windows.Store(&[]int{})
	for n := range instances {
		server := httptest.NewServer(p.handler(n))
		t.Cleanup(server.Close)
		s.servers[n] = &instance{address: strings.TrimPrefix(server.URL, "http://")}
	}
	for n := range 2 {
		of := &play{number: n, id: named("tenant %d", n), members: []string{fmt.Sprint(n)}, registers: map[byte]*register{}}
		for _, letter := range []byte(shown) {
			of.registers[letter] = &register{name: string(letter)}
		}
		s.plays = append(s.plays, of)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() {
		random := rand.New(rand.NewPCG(1, 2))
		for ctx.Err() == nil {
			of, letter, by := s.plays[random.IntN(2)], shown[random.IntN(len(shown))], random.IntN(instances)
			reg := of.registers[letter]
			value := reg.begin()
			position := p.write(letter, of.number, value)
			reg.acknowledge(value, by, time.Now(), position)
			r.hand(handed{fmt.Sprintf("0.0.0.0.%d", position), of.number, reg, value})
			time.Sleep(5 * time.Millisecond)
		}
	})
	all.Go(func() {
		reader := &reader{run: r, random: rand.New(rand.NewPCG(3, 4)), seen: map[[2]int]*memory{}, stats: newStats()}
		for n := range reader.clients {
			reader.clients[n] = &client{}
			defer reader.clients[n].close()
		}
		defer cancel()
		for began := time.Now(); time.Since(began) < time.Minute && !r.foundAll(reader.stats.all.Count, wanted); {
			reader.context(s.plays[reader.random.IntN(2)], 0, reader.random.IntN(instances))
		}
	})
	all.Wait()
	found := strings.Join(r.violations, "\n")
	for _, text := range wanted {
		require.Contains(t, found, text)
	}
	return found
}

// foundAll says whether it is time to stop reading.
func (r *run) foundAll(reads int64, wanted []string) bool {
	if len(wanted) == 0 {
		return reads >= 1000
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found := strings.Join(r.violations, "\n")
	return !slices.ContainsFunc(wanted, func(text string) bool { return !strings.Contains(found, text) })
}

func TestReader_FindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	require.Empty(t, (&planted{}).ask(t), "no cache, no lie")
	(&planted{remember: 100 * time.Millisecond}).ask(t, "which this instance has acknowledged", "which the token")
	(&planted{mixed: true}).ask(t, "of another tenant than asked")
}
