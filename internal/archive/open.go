package archive

import "crypto/ed25519"

// CopyClear writes what the archive holds to another directory, in clear, signed with key where that is not nil. Every file is held to the
// manifest on the way. Errors: ArchiveFailed, ArchiveInvalid, KeyUnavailable for a sealed one that is locked.
func (a *Archive) CopyClear(dir string, key ed25519.PrivateKey) (*Manifest, error) {
	if err := a.locked(); err != nil {
		return nil, err
	}
	partial, err := Export{Dir: dir}.begin()
	if err != nil {
		return nil, err
	}
	m := a.Manifest
	m.KeyID, m.PublicKey, m.Tables = nil, nil, nil
	for i := range a.Tables {
		file, err := a.copyFile(partial, &a.Tables[i])
		if err != nil {
			return nil, err
		}
		m.Tables = append(m.Tables, file)
	}
	text, signature, err := m.encode(key)
	if err != nil {
		return nil, err
	}
	return &m, m.publish(partial, dir, text, signature)
}

func (a *Archive) copyFile(dir string, from *File) (File, error) {
	return writeFile(dir, from.Table, nil, func(each func(line []byte) error) error { return a.Each(from, each) })
}
