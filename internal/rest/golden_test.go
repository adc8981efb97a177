package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
	"github.com/vital-db/vital/internal/rest"
)

// TestGolden turns each testdata/<feature>/<case>/request into SQL. Features are named as PostgREST names its
// specs. VITAL_UPDATE=1 writes what comes of them, for somebody to read.
func TestGolden(t *testing.T) { //nolint:tparallel // its cases share a connection
	t.Parallel()
	db := pgtest.New(t)
	db.Exec(t, fixture)
	_, engine := open(t, db)
	conn := db.ConnectAPI(t)
	_, err := conn.Exec(context.Background(), "select set_config('role', 'authenticated', false), set_config('search_path', 'api, public', false)")
	require.NoError(t, err)
	var cases []string
	require.NoError(t, filepath.WalkDir("testdata", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "request" {
			cases = append(cases, filepath.Dir(path))
		}
		return err
	}))
	require.NotEmpty(t, cases)
	for _, dir := range cases {
		t.Run(strings.TrimPrefix(dir, "testdata/"), func(t *testing.T) {
			text, values, err := engine.SQL(readRequest(t, dir), rest.Session{Role: "authenticated"})
			got, other := "expected.sql", "expected.error"
			content := describe(text, values)
			if err != nil {
				got, other = other, got
				content = describeError(t, err)
			} else {
				_, err := conn.Prepare(context.Background(), "", text)
				require.NoError(t, err, "the database does not take it: %s", text)
			}
			if os.Getenv("VITAL_UPDATE") != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, got), []byte(content), 0o600))
				_ = os.Remove(filepath.Join(dir, other))
			}
			want, err := os.ReadFile(filepath.Join(dir, got))
			require.NoError(t, err, content)
			require.Equal(t, string(want), content)
			require.NoFileExists(t, filepath.Join(dir, other))
		})
	}
}

// readRequest reads a request as HTTP writes it, without the version: a line, headers, an empty line, a body.
func readRequest(t *testing.T, dir string) *rest.Request {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "request"))
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewReader(file)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	method, target, ok := strings.Cut(strings.TrimSpace(first), " ")
	require.True(t, ok, first)
	header := textproto.MIMEHeader{}
	if rest, err := lines.Peek(1); err == nil && rest[0] != '\n' {
		if header, err = textproto.NewReader(lines).ReadMIMEHeader(); err != nil && !errors.Is(err, io.EOF) {
			require.NoError(t, err)
		}
	} else {
		_, _ = lines.ReadString('\n')
	}
	body, err := io.ReadAll(lines)
	require.NoError(t, err)
	path, query, _ := strings.Cut(target, "?")
	return &rest.Request{Method: method, Path: path, RawQuery: query, Header: header, Body: strings.NewReader(strings.TrimSuffix(string(body), "\n"))}
}

func describe(text string, values [][]byte) string {
	var b strings.Builder
	b.WriteString(text + "\n")
	for i, value := range values {
		fmt.Fprintf(&b, "$%d = %s\n", i+1, value)
	}
	return b.String()
}

func describeError(t *testing.T, err error) string {
	t.Helper()
	var known *rest.Error
	require.True(t, errors.As(err, &known), "%v", err)
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(known))
	return fmt.Sprintf("%d\n%s", known.Status, b.String())
}
