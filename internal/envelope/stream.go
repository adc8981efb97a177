package envelope

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/google/uuid"

	"github.com/vital-db/vital/internal/fault"
)

// A sealed file is a head, and then chunks of 64 KiB, each sealed by itself (the construction STREAM): its nonce says which it is and whether
// it is the last, so that none can be left out, repeated, moved or cut off. The key is the file's own, derived from the tenant's,
// of a random salt and the file's name.
const (
	streamMagic = "VITALE\x00\x01"
	saltBytes   = 32
	headBytes   = len(streamMagic) + 16 + saltBytes
	chunkBytes  = 64 << 10
	prefixBytes = 7
	tagBytes    = 16
)

// streamSeal is the cipher of one file, and where in it.
type streamSeal struct {
	aead  cipher.AEAD
	head  []byte
	nonce [12]byte
	count uint32
	ended bool
}

func (k *Key) stream(head []byte, name string) (*streamSeal, error) {
	secret, err := k.derive(head[headBytes-saltBytes:], "vital file 1\n"+k.Tenant.String()+"\n"+name, keyBytes+prefixBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret[:keyBytes])
	if err != nil {
		return nil, fmt.Errorf("set up cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("set up cipher: %w", err)
	}
	s := &streamSeal{aead: aead, head: head}
	copy(s.nonce[:], secret[keyBytes:])
	return s, nil
}

var errTooLong = errors.New("the file is too long to be sealed")

// next is the nonce of the next chunk.
func (s *streamSeal) next(last bool) ([]byte, error) {
	if s.ended {
		return nil, errTooLong
	}
	binary.BigEndian.PutUint32(s.nonce[prefixBytes:], s.count)
	s.nonce[11] = 0
	if last {
		s.nonce[11] = 1
	}
	s.ended = last || s.count == math.MaxUint32
	s.count++
	return s.nonce[:], nil
}

// NewWriter seals what is written, as the file of that name in its archive. What is there is whole once Close has returned nil; it leaves
// out open.
func (k *Key) NewWriter(out io.Writer, name string) (io.WriteCloser, error) {
	head := append(append([]byte(streamMagic), k.ID[:]...), random(saltBytes)...)
	seal, err := k.stream(head, name)
	if err != nil {
		return nil, err
	}
	if _, err := out.Write(head); err != nil {
		return nil, err
	}
	return &streamWriter{seal: seal, out: out, plain: make([]byte, 0, chunkBytes)}, nil
}

type streamWriter struct {
	seal   *streamSeal
	out    io.Writer
	plain  []byte
	sealed []byte
	failed error
}

// Write keeps the last chunk back: it is not known to be the last until Close.
func (w *streamWriter) Write(text []byte) (int, error) {
	taken := 0
	for len(text) > 0 {
		if len(w.plain) == chunkBytes {
			if err := w.flush(false); err != nil {
				return taken, err
			}
		}
		n := min(len(text), chunkBytes-len(w.plain))
		w.plain = append(w.plain, text[:n]...)
		text, taken = text[n:], taken+n
	}
	return taken, nil
}

func (w *streamWriter) flush(last bool) error {
	if w.failed != nil {
		return w.failed
	}
	var nonce []byte
	if nonce, w.failed = w.seal.next(last); w.failed != nil {
		return w.failed
	}
	w.sealed = w.seal.aead.Seal(w.sealed[:0], nonce, w.plain, w.seal.head)
	w.plain = w.plain[:0]
	_, w.failed = w.out.Write(w.sealed)
	return w.failed
}

// Close writes the last chunk.
func (w *streamWriter) Close() error { return w.flush(true) }

// FileKey returns which key a file was sealed with, as its head says; false where the file is not a sealed one.
func FileKey(head []byte) (uuid.UUID, bool) {
	if len(head) < headBytes || !bytes.HasPrefix(head, []byte(streamMagic)) {
		return uuid.Nil, false
	}
	return uuid.UUID(head[len(streamMagic) : len(streamMagic)+16]), true
}

// NewReader opens what NewWriter has sealed as the file of that name. Nothing is handed over that was not sealed so: it ends with io.EOF only
// where all was read, to the last chunk. Errors, also while reading: KeyDamaged.
func (k *Key) NewReader(in io.Reader, name string) (io.Reader, error) {
	head := make([]byte, headBytes)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, notSealed(err)
	}
	id, ok := FileKey(head)
	if !ok {
		return nil, notSealed(errors.New("it is not a sealed file"))
	}
	if id != k.ID {
		return nil, notSealed(errors.New("it was sealed with another key"))
	}
	seal, err := k.stream(head, name)
	if err != nil {
		return nil, err
	}
	return &streamReader{seal: seal, in: bufio.NewReaderSize(in, chunkBytes+tagBytes+1)}, nil
}

func notSealed(err error) error {
	return fault.Wrap(err, fault.KeyDamaged, "A sealed file is not what was written.", "It was changed, damaged or cut off since, or is another one: take another copy.")
}

type streamReader struct {
	seal   *streamSeal
	in     *bufio.Reader
	buffer []byte
	plain  []byte
	err    error
}

// Read is io.Reader's.
func (r *streamReader) Read(into []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(into, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// fill opens the next chunk. It is the last where nothing comes behind it.
func (r *streamReader) fill() {
	chunk, err := r.in.Peek(chunkBytes + tagBytes + 1)
	last := errors.Is(err, io.EOF)
	if err != nil && !last {
		r.err = err
		return
	}
	if !last {
		chunk = chunk[:chunkBytes+tagBytes]
	}
	nonce, err := r.seal.next(last)
	if err == nil {
		r.buffer, err = r.seal.aead.Open(r.buffer[:0], nonce, chunk, r.seal.head)
	}
	if err != nil {
		r.err = notSealed(errUnopened)
		return
	}
	if _, r.err = r.in.Discard(len(chunk)); r.err != nil {
		return
	}
	r.plain = r.buffer
	if last {
		r.err = io.EOF
	}
}
