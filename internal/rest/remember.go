package rest

import (
	"strings"

	"github.com/vital-db/vital/internal/bounded"
)

// A page asks the same few questions over and over: their plans and statements are remembered with the catalog
// they were made for. A plan holds nothing of who asks, so callers share them.

const (
	maxPlans     = 1024
	maxPlanBytes = 2 << 10 // of the request; longer ones are not remembered
)

type rememberedPlans = bounded.Map[string, *plan]

func newRememberedPlans() rememberedPlans {
	return bounded.New[string, *plan](maxPlans)
}

// planHeaders are those a read is planned by.
var planHeaders = [...]string{"Accept", "Accept-Profile", "Prefer", "Range"}

// planKey names what a plan is made from, "" for what is not remembered: changes and calls, whose bodies count.
func planKey(in *Request, sealed bool) string {
	if in.Method != "GET" && in.Method != "HEAD" || strings.HasPrefix(strings.TrimLeft(in.Path, "/"), "rpc/") {
		return ""
	}
	var b strings.Builder
	b.Grow(len(in.Path) + len(in.RawQuery) + 64)
	b.WriteString(in.Method)
	if sealed {
		b.WriteByte('s')
	}
	for _, part := range [...]string{in.Path, in.RawQuery} {
		b.WriteByte(0)
		b.WriteString(part)
	}
	for _, name := range planHeaders {
		b.WriteByte(0)
		for _, value := range in.Header[name] {
			b.WriteString(value)
			b.WriteByte('\n')
		}
	}
	if b.Len() > maxPlanBytes {
		return ""
	}
	return b.String()
}

// remembered returns the plan of key for this request.
func (c *Catalog) remembered(key string, in *Request) (*plan, bool) {
	if key == "" {
		return nil, false
	}
	known, ok := c.plans.Get(key)
	if !ok {
		return nil, false
	}
	p, r := *known, *known.request
	r.Request, p.request = in, &r
	return &p, true
}

// remember keeps the plan of a read.
func (c *Catalog) remember(key string, p *plan) {
	if key == "" || p.request.action != readRows {
		return
	}
	kept, r := *p, *p.request
	r.Request, kept.request = nil, &r // a request does not outlive its answer
	c.plans.Set(key, &kept)
}

// statement returns the plan's statement and its values, written once.
func (p *plan) statement() (text string, values [][]byte) {
	if p.text == "" {
		w := &sqlWriter{}
		w.main(p)
		p.text, p.values = w.String(), w.values
	}
	return p.text, p.values
}
