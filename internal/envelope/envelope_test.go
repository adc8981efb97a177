package envelope_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/envelope"
	"github.com/vital-db/vital/internal/fault"
)

var (
	now = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	a   = uuid.MustParse("aaaaaaaa-0000-4000-8000-000000000000")
	b   = uuid.MustParse("bbbbbbbb-0000-4000-8000-000000000000")
)

func requireFault(t *testing.T, code fault.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, fault.CodeOf(err), "%v", err)
}

func TestRing_TextAndBack(t *testing.T) {
	t.Parallel()
	ring := envelope.NewRing(now)
	first := ring.Current()
	require.Regexp(t, `^20261201-[0-9a-f]{8}$`, first)
	grown := ring.Grow(now)
	require.NotEqual(t, first, grown.Current())
	require.Equal(t, []string{first, grown.Current()}, grown.Names())
	require.Equal(t, []string{first}, ring.Names(), "a ring is never changed")

	read, err := envelope.ParseRing(grown.Text())
	require.NoError(t, err)
	require.Equal(t, grown, read)
	inOneLine := strings.ReplaceAll(string(grown.Text()), "\n", ";")
	read, err = envelope.ParseRing([]byte(inOneLine[strings.Index(inOneLine, "current"):]))
	require.NoError(t, err)
	require.Equal(t, grown, read, "as an environment variable has it")

	_, err = grown.Without(grown.Current())
	requireFault(t, fault.StateConflict, err)
	_, err = grown.Without("nowhere")
	requireFault(t, fault.NotFound, err)
	without, err := grown.Without(first)
	require.NoError(t, err)
	require.Equal(t, []string{grown.Current()}, without.Names())
	require.Equal(t, ring.SignIn(), without.SignIn(), "nobody signs in again because a key-encryption key went")
	require.Len(t, ring.SignIn(), 32)
	require.Nil(t, ring.WithoutSignIn().SignIn())
}

// A single secret, as openssl makes one, is a ring, too, and stays the same one when another key joins it.
func TestRing_Single(t *testing.T) {
	t.Parallel()
	text := []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n")
	ring, err := envelope.ParseRing(text)
	require.NoError(t, err)
	require.Equal(t, "single-", ring.Current()[:7])
	again, err := envelope.ParseRing(text)
	require.NoError(t, err)
	require.Equal(t, ring, again)
	key := envelope.NewKey(a)
	kek, wrapped, err := ring.Wrap(key)
	require.NoError(t, err)
	grown, err := envelope.ParseRing(ring.Grow(now).Text())
	require.NoError(t, err)
	opened, err := grown.Unwrap(a, key.ID, kek, wrapped)
	require.NoError(t, err)
	require.Equal(t, key, opened)
	require.Equal(t, ring.SignIn(), grown.SignIn())
	without, err := grown.Without(kek)
	require.NoError(t, err)
	_, err = without.Unwrap(a, key.ID, kek, wrapped)
	requireFault(t, fault.KeyUnavailable, err)
	require.NotContains(t, string(without.Text()), base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
}

func TestRing_Refused(t *testing.T) {
	t.Parallel()
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("secret"), 6)[:32])
	for name, text := range map[string]string{
		"empty": "", "comment": "# nothing", "no current": "key k " + secret, "current is none": "current x\nkey k " + secret,
		"two current": "current k\ncurrent k\nkey k " + secret, "twice": "current k\nkey k " + secret + "\nkey k " + secret,
		"short key": "current k\nkey k " + secret[:20], "short single": base64.StdEncoding.EncodeToString([]byte("secret secret")),
		"long key": "current k\nkey k " + secret + secret, "bad name": "current K\nkey K " + secret, "other word": "current k\nkeys k " + secret,
		"two sign-ins": "current k\nkey k " + secret + "\nsign-in " + secret + "\nsign-in " + secret, "short sign-in": "current k\nkey k " + secret + "\nsign-in AAAA",
		"too many": "current k0\n" + func() (all string) {
			for i := range 101 {
				all += fmt.Sprintf("key k%d %s\n", i, secret)
			}
			return all
		}(),
	} {
		_, err := envelope.ParseRing([]byte(text))
		requireFault(t, fault.ConfigInvalid, err)
		require.NotContains(t, err.Error(), secret[:8], name)
	}
}

func TestUnwrap_BoundToTenantAndKey(t *testing.T) {
	t.Parallel()
	ring := envelope.NewRing(now)
	key, other := envelope.NewKey(a), envelope.NewKey(a)
	kek, wrapped, err := ring.Wrap(key)
	require.NoError(t, err)
	opened, err := ring.Unwrap(a, key.ID, kek, wrapped)
	require.NoError(t, err)
	require.Equal(t, key, opened)
	_, again, err := ring.Wrap(key)
	require.NoError(t, err)
	require.NotEqual(t, wrapped, again)

	_, err = ring.Unwrap(b, key.ID, kek, wrapped)
	requireFault(t, fault.KeyDamaged, err)
	_, err = ring.Unwrap(a, other.ID, kek, wrapped)
	requireFault(t, fault.KeyDamaged, err)
	_, err = envelope.NewRing(now).Unwrap(a, key.ID, kek, wrapped)
	requireFault(t, fault.KeyUnavailable, err)
	grown := ring.Grow(now)
	_, err = grown.Unwrap(a, key.ID, grown.Current(), wrapped)
	requireFault(t, fault.KeyDamaged, err)
	for i := range wrapped {
		damaged := bytes.Clone(wrapped)
		damaged[i] ^= 1
		_, err = ring.Unwrap(a, key.ID, kek, damaged)
		requireFault(t, fault.KeyDamaged, err)
		_, err = ring.Unwrap(a, key.ID, kek, wrapped[:i])
		requireFault(t, fault.KeyDamaged, err)
	}
}

func TestRecords_BoundToRowTenantAndKey(t *testing.T) {
	t.Parallel()
	row, otherRow := uuid.New(), uuid.New()
	key := envelope.NewKey(a)
	records := recordsOf(t, key)
	sealed := records.Seal(row, []byte("ada@example.org"))
	require.Len(t, sealed, len("ada@example.org")+envelope.RecordOverhead)
	require.NotContains(t, string(sealed), "ada")
	plain, err := recordsOf(t, key).Open(row, sealed)
	require.NoError(t, err)
	require.Equal(t, "ada@example.org", string(plain))
	require.NotEqual(t, sealed, records.Seal(row, []byte("ada@example.org")))

	_, err = records.Open(otherRow, sealed)
	requireFault(t, fault.KeyDamaged, err)
	for _, other := range []*envelope.Key{envelope.NewKey(a), envelope.NewKey(b)} {
		_, err = recordsOf(t, other).Open(row, sealed)
		requireFault(t, fault.KeyDamaged, err)
	}
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 0x80
		_, err = records.Open(row, damaged)
		requireFault(t, fault.KeyDamaged, err)
		_, err = records.Open(row, sealed[:i])
		requireFault(t, fault.KeyDamaged, err)
	}
}

func recordsOf(t *testing.T, key *envelope.Key) *envelope.Records {
	t.Helper()
	records, err := key.Records()
	require.NoError(t, err)
	return records
}

const (
	chunk = 64 << 10
	head  = 8 + 16 + 32
)

func sealStream(t *testing.T, key *envelope.Key, name string, text []byte, step int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := key.NewWriter(&out, name)
	require.NoError(t, err)
	for part := range slicesOf(text, step) {
		n, err := w.Write(part)
		require.NoError(t, err)
		require.Equal(t, len(part), n)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func slicesOf(text []byte, step int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			n := min(step, len(text))
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

func openStream(key *envelope.Key, name string, sealed []byte) ([]byte, error) {
	r, err := key.NewReader(bytes.NewReader(sealed), name)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestStream_AnyLength(t *testing.T) {
	t.Parallel()
	key := envelope.NewKey(a)
	text := make([]byte, 3*chunk+5)
	for i := range text {
		text[i] = byte(i / 7)
	}
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3*chunk + 5} {
		for _, step := range []int{1 + n/3, chunk, 5 * chunk} {
			sealed := sealStream(t, key, "f", text[:n], step)
			require.Len(t, sealed, head+n+16*max(1, (n+chunk-1)/chunk))
			id, ok := envelope.FileKey(sealed)
			require.True(t, ok)
			require.Equal(t, key.ID, id)
			got, err := openStream(key, "f", sealed)
			require.NoError(t, err)
			require.True(t, bytes.Equal(text[:n], got), "%d bytes by %d", n, step)
		}
	}
	r, err := key.NewWriter(io.Discard, "f")
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Error(t, r.Close(), "there is one last chunk")
}

func TestStream_TamperedIsFound(t *testing.T) {
	t.Parallel()
	key := envelope.NewKey(a)
	text := bytes.Repeat([]byte("0123456789abcdef"), 3*chunk/16)
	sealed := sealStream(t, key, "f", text, chunk)
	const whole = chunk + 16
	piece := func(n int) []byte { return sealed[head+n*whole : head+(n+1)*whole] }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	other := sealStream(t, key, "f", text, chunk)
	flipped := bytes.Clone(sealed)
	flipped[head+whole+9] ^= 1
	for name, wrong := range map[string][]byte{
		"empty": {}, "head cut": sealed[:head-1], "head alone": sealed[:head], "last chunk gone": sealed[:head+2*whole], "cut in a chunk": sealed[:len(sealed)-1],
		"chunks swapped": join(sealed[:head], piece(1), piece(0), piece(2)), "chunk gone": join(sealed[:head], piece(0), piece(2)),
		"chunk twice": join(sealed[:head], piece(0), piece(0), piece(1), piece(2)), "last twice": join(sealed, piece(2)), "more behind": join(sealed, []byte{0}),
		"chunk of another file": join(sealed[:head+whole], other[head+whole:head+2*whole], piece(2)), "head of another file": join(other[:head], sealed[head:]),
		"a bit": flipped, "of another kind": join([]byte("VITALX"), sealed[6:]),
	} {
		got, err := openStream(key, "f", wrong)
		requireFault(t, fault.KeyDamaged, err)
		require.True(t, bytes.HasPrefix(text, got), "%s: what is handed over is what was written", name)
	}
	_, err := openStream(key, "g", sealed)
	requireFault(t, fault.KeyDamaged, err)
	_, err = openStream(envelope.NewKey(a), "f", sealed)
	requireFault(t, fault.KeyDamaged, err)
	_, ok := envelope.FileKey([]byte("\x1f\x8b, a file in clear that is long enough to have a head, or so"))
	require.False(t, ok)
}

func TestDigest_TakesTheKey(t *testing.T) {
	t.Parallel()
	key := envelope.NewKey(a)
	sum := func(key *envelope.Key) []byte {
		digest, err := key.Digest()
		require.NoError(t, err)
		digest.Write([]byte("what is suspected"))
		return digest.Sum(nil)
	}
	require.Equal(t, sum(key), sum(key))
	require.NotEqual(t, sum(key), sum(envelope.NewKey(a)))
}

func FuzzParseRing(f *testing.F) {
	f.Add(envelope.NewRing(now).Grow(now).Text())
	f.Add([]byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 40))))
	f.Add([]byte("current k;key k AAAA;;sign-in"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ring, err := envelope.ParseRing(text)
		if err != nil {
			return
		}
		again, err := envelope.ParseRing(ring.Text())
		require.NoError(t, err)
		require.Equal(t, ring, again)
		_, _, err = ring.Wrap(envelope.NewKey(a))
		require.NoError(t, err)
	})
}

func FuzzOpen(f *testing.F) {
	ring, key, row := envelope.NewRing(now), envelope.NewKey(a), uuid.New()
	_, wrapped, _ := ring.Wrap(key)
	records, _ := key.Records()
	f.Add(wrapped)
	f.Add(records.Seal(row, []byte("x")))
	f.Add([]byte("VITALE\x00\x01"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := ring.Unwrap(b, key.ID, ring.Current(), text)
		require.Error(t, err)
		_, err = records.Open(uuid.Nil, text)
		require.Error(t, err)
		_, err = openStream(key, "f", text)
		require.Error(t, err)
	})
}
