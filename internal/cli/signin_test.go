package cli_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vital-db/vital/internal/pgtest"
)

// signIn asks for a session and returns the status and the access token.
func (r *running) signIn(t *testing.T, key, email, password string) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	require.NoError(t, err)
	request, err := http.NewRequest(http.MethodPost, r.address+"/auth/v1/token?grant_type=password", strings.NewReader(string(body)))
	require.NoError(t, err)
	request.Header.Set("Apikey", key)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var session struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal(text, &session), "%s", text)
	return response.StatusCode, session.AccessToken
}

func TestUp_SignsIn(t *testing.T) { //nolint:tparallel // its steps follow one another
	t.Parallel()
	const ada = "ada@digital-health.vital.test"
	data := "VITAL_DATA_DIR=" + filepath.Join(t.TempDir(), "data")
	up := []string{data, "VITAL_LISTEN=127.0.0.1:0"}
	run := func(args ...string) string {
		got := vital(t, []string{data}, args...)
		require.Equal(t, 0, got.code, "%v: %s", args, got.err)
		return got.out
	}
	server := start(t, up, "up")
	require.Eventually(t, func() bool { return strings.Contains(server.out.String(), "Ctrl-C") }, 30*time.Second, 5*time.Millisecond)
	found := regexp.MustCompile(`(?m)^` + ada + ` +(\S+) +admin of digital-health`).FindStringSubmatch(server.out.String())
	require.NotNil(t, found, server.out)
	password := found[1]
	require.NotContains(t, server.err.String(), password, "the log holds no password")

	anon := run("key", "anon")
	require.Regexp(t, `^vital_anon_[\w-]{43}\n$`, anon, "the key, and nothing else")
	anon = strings.TrimSpace(anon)
	require.Contains(t, server.out.String(), "createClient('"+server.address+"', '"+anon+"')")
	require.Equal(t, run("key", "service"), run("key", "service"))
	status, access := server.signIn(t, anon, ada, password)
	require.Equal(t, http.StatusOK, status)
	status, body := server.get(t, "/v1/context", access, "Apikey", anon)
	require.Equal(t, http.StatusOK, status, body)

	t.Run("the signing key can be rotated under load", func(t *testing.T) {
		require.Contains(t, run("key", "rotate", "signing"), "signs now")
		status, body := server.get(t, "/v1/context", access)
		require.Equal(t, http.StatusOK, status, body)
		status, fresh := server.signIn(t, anon, ada, password)
		require.Equal(t, http.StatusOK, status)
		status, _ = server.get(t, "/v1/context", fresh)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, run("key", "rotate", "seal"), "seal key")
		require.Equal(t, 2, vital(t, []string{data}, "key", "rotate", "everything").code)
	})
	t.Run("keys are made, listed and revoked", func(t *testing.T) {
		made := run("key", "create", "--role", "service_role", "--name", "ci", "--expires", "24h")
		require.Regexp(t, `^vital_service_[\w-]{43}\n$`, made)
		status, _ := server.get(t, "/auth/v1/admin/users", strings.TrimSpace(made))
		require.Equal(t, http.StatusOK, status)
		var keys []struct{ ID, Name, Prefix string }
		require.NoError(t, json.Unmarshal([]byte(run("key", "list", "--json")), &keys))
		require.Equal(t, "ci", keys[0].Name)
		require.NotContains(t, run("key", "list"), strings.TrimSpace(made))
		run("key", "revoke", keys[0].ID)
		status, _ = server.get(t, "/auth/v1/admin/users", strings.TrimSpace(made))
		require.Equal(t, http.StatusUnauthorized, status)
		require.Equal(t, 1, vital(t, []string{data}, "key", "revoke", keys[0].ID).code)
		require.Equal(t, 2, vital(t, []string{data}, "key", "create", "--name", "x").code)
		require.Equal(t, 1, vital(t, []string{data}, "key", "create", "--name", "x", "--role", "authenticated").code)
	})
	t.Run("an operator sets a password", func(t *testing.T) {
		fresh := strings.TrimSpace(run("user", "password", ada))
		require.Eventually(t, func() bool { // as soon as the server hears of it
			status, body := server.get(t, "/v1/context", access)
			return status == http.StatusUnauthorized && body["code"] == "session_revoked"
		}, 30*time.Second, 5*time.Millisecond)
		status, _ := server.signIn(t, anon, ada, password)
		require.Equal(t, http.StatusBadRequest, status)
		status, _ = server.signIn(t, anon, ada, fresh)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, 1, vital(t, []string{data}, "user", "password", "nobody@x.test").code)
	})
	require.Equal(t, 0, server.stop())

	again := start(t, up, "up")
	require.Eventually(t, func() bool { return strings.Contains(again.out.String(), "Ctrl-C") }, 30*time.Second, 5*time.Millisecond)
	require.NotContains(t, again.out.String(), password)
	require.Contains(t, again.out.String(), "user password EMAIL")
	require.Contains(t, again.out.String(), anon)
	require.Equal(t, 0, again.stop())
}

// Beside a named database the sign-in needs a key-encryption key; where an issuer rules, it is off.
func TestServe_SignIn(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	file := filepath.Join(t.TempDir(), "kek")
	require.NoError(t, os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n"), 0o600))
	base := []string{"VITAL_DATABASE_URL=" + d.APIURL, "VITAL_LISTEN=127.0.0.1:0"}
	for name, c := range map[string]struct {
		environment []string
		status      int
		says        string
	}{
		"KEK":    {[]string{"VITAL_KEK_FILE=" + file}, http.StatusOK, ""},
		"Secret": {[]string{"VITAL_JWT_SECRET=a-secret-of-the-tests-of-32-bytes-or-more"}, http.StatusNotFound, "VITAL_KEK_FILE"},
		"Issuer": {[]string{"VITAL_KEK_FILE=" + file, "VITAL_JWKS_URL=http://127.0.0.1:9/jwks"}, http.StatusNotFound, "external issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, append(append([]string{}, base...), c.environment...), "serve")
			status, body := server.get(t, "/auth/v1/settings", "")
			require.Equal(t, c.status, status)
			if c.says != "" {
				require.Equal(t, "sign_in_off", body["error_code"])
				require.Contains(t, body["msg"], c.says)
			}
		})
	}
	for _, wrong := range [][]string{{"VITAL_KEK_FILE=/none"}, {"VITAL_KEK_FILE=" + file, "VITAL_SIGNUP=all"}, {"VITAL_KEK_FILE=" + file, "VITAL_SMTP_URL=x"}} {
		got := vital(t, append(append([]string{}, base...), wrong...), "serve")
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, "config_invalid")
	}
}
