package archive

import (
	"errors"
	"os"
	"path/filepath"
)

// unpacked is an archive in a directory, which is there under its name once all is written.
type unpacked struct {
	export  Export
	partial string
	written Manifest
}

func (u *unpacked) lines(table Table, read func(each func(line []byte) error) error) (File, error) {
	file, err := writeFile(u.partial, table, u.export.Seal, read)
	u.written.Tables = append(u.written.Tables, file)
	return file, err
}

func (u *unpacked) finish(manifest, signature []byte) error {
	return u.written.publish(u.partial, u.export.Dir, manifest, signature)
}

// publish makes what lies in partial the archive at dir: whatever else was left there is dropped, since it may have been another's, the manifest and
// its signature, where there is one, are written, and all of it is on the disk before it gets its name. Waiting for the disk once, at the end, holds up
// others on it less than after each file.
func (m *Manifest) publish(partial, dir string, text, signature []byte) error {
	if err := m.dropOthers(partial); err != nil {
		return unwritable(err, partial)
	}
	files := make([]string, 0, len(m.Tables)+2)
	for _, table := range m.Tables {
		files = append(files, filepath.FromSlash(table.File))
	}
	for name, content := range map[string][]byte{manifestName: text, signatureName: signature} {
		if content == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(partial, name), content, 0o600); err != nil {
			return unwritable(err, partial)
		}
		files = append(files, name)
	}
	for _, name := range files {
		if err := syncFile(filepath.Join(partial, name)); err != nil {
			return unwritable(err, partial)
		}
	}
	if err := os.Rename(partial, dir); err != nil {
		return unwritable(err, dir)
	}
	return nil
}

// syncFile waits until a file is on the disk.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
