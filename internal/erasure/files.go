package erasure

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vital-db/vital/internal/fault"
)

const (
	// window is how much of a file is looked at once, overlap how much of it again with what follows: more than an id or address has.
	window  = 1 << 20
	overlap = 1 << 10
)

// path reads a file, or every file below a directory.
func (s *Scan) path(match matcher, path string, progress func(string)) error {
	info, err := os.Stat(path)
	if err != nil {
		return fault.Wrap(err, fault.Usage, fmt.Sprintf("%s cannot be read.", path), "Name files and directories that are there.")
	}
	if !info.IsDir() {
		return s.file(match, path, progress)
	}
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			s.NotSearched = append(s.NotSearched, name+": it cannot be read")
			return nil //nolint:nilerr // it is told
		case entry.Type().IsRegular():
			return s.file(match, name, progress)
		}
		return nil
	})
}

// file reads one file; what is compressed with gzip, as archives are, is uncompressed, and offsets count there.
func (s *Scan) file(match matcher, name string, progress func(string)) error {
	progress(name)
	unread := func() error {
		s.NotSearched = append(s.NotSearched, name+": it cannot be read")
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return unread()
	}
	defer file.Close()
	text := bufio.NewReaderSize(file, 64<<10)
	content := io.Reader(text)
	if magic, err := text.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if content, err = gzip.NewReader(text); err != nil {
			return unread()
		}
	}
	read, first, count, err := search(match, content)
	if err != nil {
		return unread()
	}
	s.Files = append(s.Files, File{name, read})
	if count > 0 {
		kind := "file"
		if ext := filepath.Ext(name); ext == ".log" {
			kind = "log"
		}
		s.Left = append(s.Left, Finding{fmt.Sprintf("%s:%d", name, first), kind, int64(count)})
	}
	return nil
}

// search reads all of content, a window at a time.
func search(match matcher, content io.Reader) (read, first int64, count int, err error) {
	buffer := make([]byte, overlap+window)
	have := 0 // bytes at the front that were looked at already
	for {
		n, err := io.ReadFull(content, buffer[have:])
		text := buffer[:have+n]
		at, found := match.find(text)
		_, again := match.find(text[:have])
		if found > again {
			if count == 0 {
				first = read - int64(have) + int64(at)
			}
			count += found - again
		}
		read += int64(n)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return read, first, count, nil
		case err != nil:
			return read, first, count, err
		}
		have = copy(buffer, text[len(text)-overlap:])
	}
}
