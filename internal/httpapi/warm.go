package httpapi

import (
	"context"
	"time"

	"github.com/vital-db/vital/internal/identity"
	"github.com/vital-db/vital/internal/tenant"
)

const (
	// warmers bounds how many contexts are read ahead at once; beyond that nobody's is.
	warmers  = 4
	warmTime = 5 * time.Second
)

// warm reads the context that caller will ask for next, so that it is in memory then: after a sign-in, and after the
// switch to another tenant. Whoever asks meanwhile waits for the same load.
func (s *Server) warm(ctx context.Context, caller identity.Caller) {
	select {
	case s.warming <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() { <-s.warming }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), warmTime)
		defer cancel()
		_, _, _ = s.config.Contexts.Read(ctx, caller, "", tenant.Version{}) // whoever asks is told what is wrong
	}()
}

// warmSession is warm for whoever an access token that was just issued stands for.
func (s *Server) warmSession(ctx context.Context, token string) {
	if caller, err := s.config.Verifier.Verify(ctx, token); err == nil {
		s.warm(ctx, caller)
	}
}
