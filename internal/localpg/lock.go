package localpg

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

// holder is what the owner of a data directory writes into its lock file, for people and for Attach.
type holder struct {
	PID     int       `json:"pid"`
	Port    int       `json:"port"` // 0 until the server accepts connections
	Started time.Time `json:"started"`
}

// lock is the hold on a data directory. The kernel gives it up with the process, however that ends,
// and the server does not inherit it: the descriptor is close-on-exec.
type lock struct {
	file   *os.File
	holder holder
}

// tryLock takes the lock at path. When another process has it, lock is nil and holder says who.
func tryLock(path string) (*lock, holder, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, holder{}, unusable(err, "open", path)
	}
	held, err := flock(file)
	if err != nil || held != nil {
		file.Close()
		if held != nil {
			return nil, *held, nil
		}
		return nil, holder{}, unusable(err, "lock", path)
	}
	l := &lock{file: file, holder: holder{PID: os.Getpid(), Started: time.Now().UTC().Truncate(time.Second)}}
	if err := l.announce(0); err != nil {
		l.release()
		return nil, holder{}, err
	}
	return l, holder{}, nil
}

// flock locks file, or says who has it. A holder that does not say who it is, or is dead, is one that
// is writing that just now, or a program a dead owner was about to start and that has its descriptors
// until it runs: both pass in a moment, so it looks again for up to a second.
func flock(file *os.File) (*holder, error) {
	for tries := 0; ; tries++ {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return nil, err
		}
		if h := readHolder(file); h.alive() || tries == 50 {
			return &h, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// readHolder reads what the owner wrote; a holder without a pid when that is not complete.
func readHolder(file *os.File) holder {
	var h holder
	content, err := io.ReadAll(io.NewSectionReader(file, 0, 4096))
	if err != nil || json.Unmarshal(content, &h) != nil {
		return holder{}
	}
	return h
}

func (h holder) alive() bool {
	return h.PID > 0 && !errors.Is(syscall.Kill(h.PID, 0), syscall.ESRCH)
}

// announce writes who we are and the port on which the server accepts connections.
func (l *lock) announce(port int) error {
	l.holder.Port = port
	content, err := json.Marshal(l.holder)
	if err != nil {
		return fmt.Errorf("encode lock: %w", err)
	}
	content = append(content, '\n')
	_, err = l.file.WriteAt(content, 0)
	if err == nil {
		err = l.file.Truncate(int64(len(content)))
	}
	if err != nil {
		return unusable(err, "write", l.file.Name())
	}
	return nil
}

// release gives the directory up. The file stays: were it removed, a process that has it open could
// lock the removed file while another locks a new one. Closing alone would not do: a program that is
// being started elsewhere in this process has a copy of the descriptor until it runs.
func (l *lock) release() {
	_ = l.file.Truncate(0)
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
	_ = l.file.Close()
}

func inUse(dir string, h holder) *fault.Error {
	who := "another process"
	if h.PID != 0 {
		who = fmt.Sprintf("process %d since %s", h.PID, h.Started.Local().Format(time.DateTime))
	}
	return fault.New(fault.DataDirInUse,
		fmt.Sprintf("The data directory %s is in use by %s.", dir, who),
		"Stop that process first, or choose another directory with --data-dir.")
}
