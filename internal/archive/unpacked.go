package archive

import (
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

// finish drops whatever else lies there: what was broken off before may have been another's.
func (u *unpacked) finish(manifest, signature []byte) error {
	if err := u.written.dropOthers(u.partial); err != nil {
		return unwritable(err, u.partial)
	}
	for name, content := range map[string][]byte{manifestName: manifest, signatureName: signature} {
		if content == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(u.partial, name), content, 0o600); err != nil {
			return unwritable(err, u.partial)
		}
	}
	if err := os.Rename(u.partial, u.export.Dir); err != nil {
		return unwritable(err, u.export.Dir)
	}
	return nil
}
