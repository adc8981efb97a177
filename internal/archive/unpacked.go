package archive

import (
	"os"
	"path/filepath"
)

// unpacked is an archive in a directory, which is there under its name once all is written.
type unpacked struct {
	export  Export
	partial string
}

func (u *unpacked) lines(table Table, read func(each func(line []byte) error) error) (File, error) {
	file := File{Table: table, File: tablesDir + "/" + table.String() + ".jsonl.gz"}
	path := filepath.Join(u.partial, filepath.FromSlash(file.File))
	lines, err := createLines(path)
	if err != nil {
		return file, unwritable(err, path)
	}
	defer lines.abandon()
	digest := newDigest()
	if err := read(func(line []byte) error {
		digest.add(line)
		return lines.write(line)
	}); err != nil {
		return file, err
	}
	if err := lines.finish(); err != nil {
		return file, unwritable(err, path)
	}
	digest.into(&file)
	return file, nil
}

func (u *unpacked) finish(manifest, signature []byte) error {
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
