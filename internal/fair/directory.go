package fair

import (
	"net/netip"
	"sync"

	"github.com/google/uuid"
)

// Caller is a verified caller and the tenant they name: all that is known of a request before the database was asked.
type Caller struct {
	// Who is the user, or the key.
	Who uuid.UUID
	// Tenant is the name they use: an id, a slug, or "" for their default.
	Tenant string
}

// Directory knows whom requests count to. A name means nothing until the database has said which tenant it is, to this very
// caller; until then the request counts to who asks, whatever they name. So made-up names take no memory, and bring no budget.
type Directory struct {
	meant     table[Caller, uuid.UUID] // what the database said
	tenants   table[uuid.UUID, *Party]
	strangers table[uuid.UUID, *Party]
	addresses table[netip.Addr, *Party]
	newcomers Party // the crowd of strangers
	nobody    Party // the crowd of those without a name
}

// NewDirectory remembers the most recent of each kind, about as many as most, at least half as many.
func NewDirectory(most int) *Directory {
	half := max(1, most/2)
	return &Directory{
		meant:     table[Caller, uuid.UUID]{most: half},
		tenants:   table[uuid.UUID, *Party]{most: half},
		strangers: table[uuid.UUID, *Party]{most: half},
		addresses: table[netip.Addr, *Party]{most: half},
	}
}

// Find returns whom a request of c counts to.
func (d *Directory) Find(c Caller) *Party {
	if id, known := d.meant.get(c); known {
		return d.tenants.getOr(id, newTenant)
	}
	return d.strangers.getOr(c.Who, func(uuid.UUID) *Party { return &Party{crowd: &d.newcomers} })
}

// FindAddress returns whom a request without a caller counts to, by where it comes from: of IPv6 the network, since whoever has
// one address of it has them all.
func (d *Directory) FindAddress(from netip.Addr) *Party {
	from = from.Unmap().WithZone("")
	if from.Is6() {
		network, _ := from.Prefix(64) // every IPv6 address has one
		from = network.Addr()
	}
	return d.addresses.getOr(from, func(netip.Addr) *Party { return &Party{crowd: &d.nobody} })
}

// Learn takes note that the database has let c act in tenant; the zero id says that it did not.
func (d *Directory) Learn(c Caller, tenant uuid.UUID) {
	if tenant == uuid.Nil {
		d.meant.remove(c)
		return
	}
	d.meant.set(c, tenant)
}

// Size is how much is remembered.
func (d *Directory) Size() int {
	return d.meant.size() + d.tenants.size() + d.strangers.size() + d.addresses.size()
}

// table is a map of what was asked for of late, in two generations: what the older one has that was not asked for while the
// younger one filled up is forgotten with it.
type table[K comparable, V any] struct {
	most int // of one generation

	mu         sync.RWMutex
	young, old map[K]V
}

func (t *table[K, V]) get(key K) (value V, ok bool) {
	t.mu.RLock()
	value, ok = t.young[key]
	if ok {
		t.mu.RUnlock()
		return value, true
	}
	_, ok = t.old[key]
	t.mu.RUnlock()
	if !ok {
		return value, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.renew(key)
}

// getOr returns the value of key, one that create makes if there is none.
func (t *table[K, V]) getOr(key K, create func(K) V) V {
	if value, ok := t.get(key); ok {
		return value
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	value, ok := t.renew(key)
	if !ok {
		value = create(key)
		t.keep(key, value)
	}
	return value
}

func (t *table[K, V]) set(key K, value V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.old, key)
	t.keep(key, value)
}

func (t *table[K, V]) remove(key K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.young, key)
	delete(t.old, key)
}

func (t *table[K, V]) size() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.young) + len(t.old)
}

// renew returns the value of key, in the younger generation from now on.
func (t *table[K, V]) renew(key K) (V, bool) {
	if value, ok := t.young[key]; ok {
		return value, true
	}
	value, ok := t.old[key]
	if ok {
		delete(t.old, key)
		t.keep(key, value)
	}
	return value, ok
}

func (t *table[K, V]) keep(key K, value V) {
	if _, there := t.young[key]; !there && len(t.young) >= t.most {
		t.young, t.old = nil, t.young
	}
	if t.young == nil {
		t.young = map[K]V{}
	}
	t.young[key] = value
}
