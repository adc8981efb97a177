package traffic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/vital-db/vital/internal/fault"
)

// Share is how much of the traffic is of a kind.
type Share struct {
	Kind   string
	Weight float64
}

// Mix are the kinds of requests, each with its share of their sum.
type Mix []Share

// The kinds there are.
const (
	KindContext   = "context"   // GET /v1/context
	KindUnchanged = "unchanged" // the same, by a client that has it
	KindList      = "list"      // GET /rest/v1/prompts, a page
	KindSingle    = "single"    // GET /rest/v1/prompts, one by id
	KindInsert    = "insert"    // POST /rest/v1/prompts
	KindFlag      = "flag"      // POST /ofrep/v1/evaluate/flags/{key}
	KindFlags     = "flags"     // POST /ofrep/v1/evaluate/flags
	KindSignIn    = "signin"    // POST /auth/v1/token?grant_type=password
	KindRefresh   = "refresh"   // POST /auth/v1/token?grant_type=refresh_token
)

// Usual is a mix as applications have it: mostly reads, of which most were read before.
var Usual = Mix{
	{KindContext, 35}, {KindUnchanged, 25}, {KindList, 15}, {KindSingle, 8}, {KindInsert, 2}, {KindFlag, 5}, {KindFlags, 9}, {KindRefresh, 0.8}, {KindSignIn, 0.2},
}

// ParseMix reads kind=share,kind=share.
func ParseMix(text string) (Mix, error) {
	var mix Mix
	for part := range strings.SplitSeq(text, ",") {
		kind, share, _ := strings.Cut(strings.TrimSpace(part), "=")
		weight, err := strconv.ParseFloat(share, 64)
		known := slices.ContainsFunc(Usual, func(s Share) bool { return s.Kind == kind })
		if err != nil || !known || weight < 0 || weight > 1e6 {
			return nil, fault.New(fault.Usage, fmt.Sprintf("%q is no share of a mix.", part), "It is KIND=SHARE, and KIND one of "+strings.Join(kinds(), ", ")+".")
		}
		mix = append(mix, Share{kind, weight})
	}
	if mix.sum() == 0 {
		return nil, fault.New(fault.Usage, "The mix asks for nothing.", "Give one of its kinds a share above 0.")
	}
	return mix, nil
}

func kinds() []string {
	all := make([]string, len(Usual))
	for i, s := range Usual {
		all[i] = s.Kind
	}
	return all
}

func (m Mix) sum() (sum float64) {
	for _, s := range m {
		sum += s.Weight
	}
	return sum
}

// Has says whether any of kinds is asked for.
func (m Mix) Has(kinds ...string) bool {
	return slices.ContainsFunc(m, func(s Share) bool { return s.Weight > 0 && slices.Contains(kinds, s.Kind) })
}

// Without is m without kinds.
func (m Mix) Without(kinds ...string) Mix {
	return slices.DeleteFunc(slices.Clone(m), func(s Share) bool { return slices.Contains(kinds, s.Kind) })
}

func (m Mix) draw(random *rand.Rand) string {
	at := random.Float64() * m.sum()
	for _, s := range m {
		if at < s.Weight {
			return s.Kind
		}
		at -= s.Weight
	}
	return m[len(m)-1].Kind
}
