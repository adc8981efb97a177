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
	err = flock(file)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		defer file.Close()
		return nil, readHolder(file), nil
	}
	if err != nil {
		file.Close()
		return nil, holder{}, unusable(err, "lock", path)
	}
	l := &lock{file: file, holder: holder{PID: os.Getpid(), Started: time.Now().UTC().Truncate(time.Second)}}
	if err := l.announce(0); err != nil {
		l.release()
		return nil, holder{}, err
	}
	return l, holder{}, nil
}

func flock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// readHolder reads what the owner wrote. It may be in the middle of writing: then the file does not
// parse for a moment, and a holder without a pid is returned only if that lasts.
func readHolder(file *os.File) holder {
	for range 10 {
		var h holder
		content, err := io.ReadAll(io.NewSectionReader(file, 0, 4096))
		if err == nil && json.Unmarshal(content, &h) == nil && h.PID != 0 {
			return h
		}
		time.Sleep(10 * time.Millisecond)
	}
	return holder{}
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
// lock the removed file while another locks a new one.
func (l *lock) release() {
	_ = l.file.Truncate(0)
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
