package rest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

// spool keeps a body until it is known how it is to be sent. Up to its limit it lies in memory; beyond, it is
// written to where overflow says, a client or a file. So no answer grows the process.
type spool struct {
	memory   *bytes.Buffer
	limit    int
	beyond   io.Writer
	file     *os.File
	overflow func() (io.Writer, error)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func newSpool(limit int) *spool {
	memory := buffers.Get().(*bytes.Buffer) //nolint:forcetypeassert // nothing else is put in
	memory.Reset()
	s := &spool{memory: memory, limit: limit}
	s.overflow = s.openFile
	return s
}

// Write is io.Writer; an error of it is final.
func (s *spool) Write(p []byte) (int, error) {
	if s.beyond != nil {
		return s.beyond.Write(p)
	}
	n, _ := s.memory.Write(p) // never fails
	if s.memory.Len() <= s.limit {
		return n, nil
	}
	beyond, err := s.overflow()
	if err != nil {
		return n, err
	}
	if _, err := beyond.Write(s.memory.Bytes()); err != nil {
		return n, err
	}
	s.beyond = beyond
	return n, nil
}

// openFile makes a file that nobody else can open and that is gone with the process.
func (s *spool) openFile() (io.Writer, error) {
	file, err := os.CreateTemp("", "vital-answer-")
	if err != nil {
		return nil, fmt.Errorf("spool answer: %w", err)
	}
	_ = os.Remove(file.Name()) // it lives on while it is open; where it does not, close removes it
	s.file = file
	return file, nil
}

// reset forgets what was written.
func (s *spool) reset() {
	s.memory.Reset()
	s.closeFile()
	s.beyond = nil
}

// whole returns the body where it lies in memory.
func (s *spool) whole() ([]byte, bool) { return s.memory.Bytes(), s.beyond == nil }

// writeTo sends what was kept.
func (s *spool) writeTo(w io.Writer) error {
	if s.file == nil {
		_, err := w.Write(s.memory.Bytes())
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read spooled answer: %w", err)
	}
	_, err := io.Copy(w, s.file)
	return err
}

func (s *spool) closeFile() {
	if s.file != nil {
		_ = s.file.Close() // it was only ever for us
		_ = os.Remove(s.file.Name())
		s.file = nil
	}
}

// close gives everything back.
func (s *spool) close() {
	s.closeFile()
	const keep = 4 << 20
	if s.memory.Cap() <= keep {
		buffers.Put(s.memory)
	}
	s.memory = nil
}
