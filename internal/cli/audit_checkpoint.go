package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vital-db/vital/internal/fault"
	"github.com/vital-db/vital/internal/postgres"
	"github.com/vital-db/vital/internal/tenant"
)

// checkpointEvery is how often a server signs the ends of audit chains, and so how much at most a
// superuser of the database can rewrite unseen.
const checkpointEvery = time.Minute

// checkpointOverlap is how far back each run looks, for commits that took their time.
const checkpointOverlap = 5 * time.Minute

// checkpointSigner signs the ends of audit chains and keeps what it signed in a file, "" for none.
type checkpointSigner struct {
	key  ed25519.PrivateKey
	file string
}

// checkpointSigner returns the one of this server: with the key of VITAL_AUDIT_KEY_FILE, else the private
// server's own, else none (nil).
func (a *app) checkpointSigner(t *target, file string) (*checkpointSigner, error) {
	var seed string
	switch {
	case a.config.AuditKeyFile != "":
		text, err := os.ReadFile(a.config.AuditKeyFile)
		if err != nil {
			return nil, fault.Wrap(err, fault.ConfigInvalid, "The audit key cannot be read.", "Check VITAL_AUDIT_KEY_FILE.")
		}
		seed = string(text)
	case t.private != nil:
		var err error
		if seed, err = t.private.Secret("audit"); err != nil {
			return nil, err
		}
	default:
		return nil, nil //nolint:nilnil // there is no key
	}
	key, err := tenant.ParseAuditKey(seed)
	if err != nil {
		return nil, err
	}
	return &checkpointSigner{key, a.checkpointsFile(t, file)}, nil
}

// private is the key, nil where there is none.
func (s *checkpointSigner) private() ed25519.PrivateKey {
	if s == nil {
		return nil
	}
	return s.key
}

func (s *checkpointSigner) public() ed25519.PublicKey {
	public, _ := s.key.Public().(ed25519.PublicKey) // it is one
	return public
}

// keep appends checkpoints to the file, one JSON object a line, and sees to it that they are on disk.
func (s *checkpointSigner) keep(made []tenant.Checkpoint) error {
	if s.file == "" {
		return nil
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, c := range made {
		if err := encoder.Encode(c); err != nil {
			return fmt.Errorf("encode checkpoint: %w", err)
		}
	}
	file, err := os.OpenFile(s.file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fault.Wrap(err, fault.ConfigInvalid, fmt.Sprintf("Checkpoints cannot be kept in %s.", s.file), "Check VITAL_AUDIT_CHECKPOINTS.")
	}
	text := lines.Bytes()
	if torn(file) {
		text = append([]byte("\n"), text...)
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// torn says whether the file ends within a line, as after a crash.
func torn(file *os.File) bool {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, end-1)
	return err == nil && last[0] != '\n'
}

// keepCheckpoints signs the ends of audit chains in the background until ctx ends; the returned function
// waits for that.
func (a *app) keepCheckpoints(ctx context.Context, t *target, service *postgres.Service) (wait func(), err error) {
	signer, err := a.checkpointSigner(t, "")
	if err != nil {
		return nil, err
	}
	if signer == nil {
		a.log.Warn("audit checkpoints are off: a superuser who rewrites a chain will not be found", "setting", "VITAL_AUDIT_KEY_FILE")
		return func() {}, nil
	}
	if err := signer.keep(nil); err != nil {
		return nil, err // a file that cannot be written is told at the start
	}
	if signer.file == "" {
		a.log.Warn("audit checkpoints are kept in the database alone", "setting", "VITAL_AUDIT_CHECKPOINTS")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(checkpointEvery)
		defer ticker.Stop()
		var since time.Time
		for {
			started := time.Now()
			_, err := tenant.CheckpointAudit(ctx, service, signer.key, since, signer.keep)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				a.log.Error("audit checkpoints failed", "error", err)
			default:
				since = started.Add(-checkpointOverlap)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return func() { <-done }, nil
}
