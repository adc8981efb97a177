package localpg

import (
	"context"
	"time"
)

// Waits between restarts of a server that died. One that ran for steady before it died begins anew.
const (
	firstRestart = time.Second
	lastRestart  = 30 * time.Second
	steady       = 10 * time.Second
)

// Stop shuts the server down fast (running transactions are rolled back), returns when it has exited
// and gives the data directory up. When ctx ends first the shutdown is an immediate one, which the
// next start makes good by recovery. Stopping again waits for the same end. On an attached server it
// does nothing: its owner stops it.
func (s *Server) Stop(ctx context.Context) error {
	if !s.Owned() {
		return nil
	}
	s.halt()
	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
		s.hurryOnce.Do(func() { close(s.hurry) })
	}
	<-s.stopped // bounded: SIGKILL follows shutdownGrace after the immediate shutdown
	return nil
}

// supervise keeps a server running until life ends, then stops it and releases the lock.
func (s *Server) supervise(life context.Context, child *process) {
	defer close(s.stopped)
	defer s.lock.release()
	delay, begun := firstRestart, time.Now()
	for {
		select {
		case <-life.Done():
			child.stop(s.hurry)
			s.cfg.Log.Info("the database server has stopped", "port", s.port, "ran", since(begun))
			return
		case <-child.exited:
		}
		if life.Err() != nil {
			return
		}
		if time.Since(begun) > steady {
			delay = firstRestart
		}
		s.cfg.Log.Error("the database server ended unexpectedly and is restarted",
			"pid", child.pid, "state", child.cmd.ProcessState.String(), "restart_in", delay, "log", s.paths.log)
		if child, delay = s.restart(life, delay); child == nil {
			return
		}
		begun = time.Now()
	}
}

// restart starts the server again after delay, on the same port, and tries until it runs or life ends
// (then it returns nil). It also returns the delay for the next time.
func (s *Server) restart(life context.Context, delay time.Duration) (*process, time.Duration) {
	for {
		sleep(life, delay)
		if life.Err() != nil {
			return nil, delay
		}
		delay = min(2*delay, lastRestart)
		child, err := s.start(life)
		if err == nil {
			return child, delay
		}
		if life.Err() == nil {
			s.cfg.Log.Error("the database server could not be restarted", "error", err, "retry_in", delay, "log", s.paths.log)
		}
	}
}
