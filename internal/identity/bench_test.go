package identity_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/identity"
)

func BenchmarkVerify(b *testing.B) {
	ctx := context.Background()
	s := started(b, setup(b, func(c *identity.Config) { c.CacheEntries = 64 }))
	b.Run("hit", func(b *testing.B) {
		token := s.es256(b, nil)
		_, err := s.verify(token)
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = s.verifier.Verify(ctx, token)
		}
	})
	// Many more tokens than the cache remembers, in turn, so that each one is a miss.
	misses := func(make func(testing.TB, map[string]any) string) func(*testing.B) {
		return func(b *testing.B) {
			tokens := [4096]string{}
			for i := range tokens {
				tokens[i] = make(b, map[string]any{"jti": fmt.Sprint(i)})
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := s.verifier.Verify(ctx, tokens[i%len(tokens)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		}
	}
	b.Run("miss-hs256", misses(s.hs256))
	b.Run("miss-es256", misses(s.es256))
}
