package isolation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// ask is one request.
type ask struct {
	method, path string
	header       []string // name, value …
	body         string
	who          string // whose token goes into Authorization
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func (r reply) ok() bool { return r.err == nil && r.status >= 200 && r.status < 300 }

// empty reports a success that holds no row.
func (r reply) empty() bool {
	body := strings.TrimSpace(r.body)
	return body == "" || body == "[]" || body == "{}" || body == "null" || body == `""`
}

// text is everything a client can read, for canaries.
func (r reply) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, r.status)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		fmt.Fprintln(&b, name+":", strings.Join(r.header[name], ", "))
	}
	b.WriteString(r.body)
	return b.String()
}

// told are the headers that tell of rows.
var told = []string{"Content-Range", "Content-Type", "Location", "ETag", "Vital-Version", "Preference-Applied", "Allow", "Www-Authenticate", "Proxy-Status", "X-Sb-Error-Code", "Idempotent-Replayed"}

// signature is what tells an answer from another: everything but what differs each time.
func (r reply) signature() string {
	if r.err != nil {
		return "no answer"
	}
	body := r.body
	var document map[string]any
	if json.Unmarshal([]byte(body), &document) == nil {
		delete(document, "request_id")
		if text, err := json.Marshal(document); err == nil {
			body = string(text)
		}
	}
	parts := []string{fmt.Sprint(r.status)}
	for _, name := range told {
		v := r.header.Get(name)
		if name == "Vital-Version" && strings.Count(v, ".") == 4 {
			v = v[:strings.LastIndex(v, ".")] // the position of the log is the answer's moment
		}
		if v != "" {
			parts = append(parts, name+": "+v)
		}
	}
	return strings.Join(append(parts, body), "\n")
}

// send asks as a.who.
func (h *httpSuite) send(ctx context.Context, a ask) reply {
	h.proof.Statements++
	return h.sendUncounted(ctx, a)
}

// sendUncounted is send for many at once. Headers are sent as often as they are given.
func (h *httpSuite) sendUncounted(ctx context.Context, a ask) reply {
	request, err := http.NewRequestWithContext(ctx, a.method, h.server.URL+a.path, strings.NewReader(a.body))
	if err != nil {
		return reply{err: err}
	}
	if a.body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(a.header); i += 2 {
		name, value := http.CanonicalHeaderKey(a.header[i]), a.header[i+1]
		if name == "Content-Type" {
			request.Header.Del(name)
		}
		request.Header[name] = append(request.Header[name], value)
	}
	if token := h.credentials[a.who]; token != "" && request.Header.Get("Authorization") == "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return reply{err: err}
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		body, err := firstEvent(response.Body)
		_ = response.Body.Close() // it would go on
		return reply{response.StatusCode, response.Header, body, err}
	}
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(body), errors.Join(err, response.Body.Close())}
}

// sent is all an attacker brought along, but for tokens: an answer may repeat it.
func (a ask) sent() string {
	return a.method + " " + a.path + "\n" + strings.Join(a.header, "\n") + "\n" + a.body
}

// showAgain is a script of what leaked.
func (h *httpSuite) showAgain(result Result, a ask) string {
	return fmt.Sprintf("# %s: %s, as %s\n# %s\n# The other tenant is %s, the attacker's own %s.\n%s\n", result.Object, result.Title, result.Caller,
		strings.ReplaceAll(result.Evidence, "\n", " "), h.other.tenant, h.mine.tenant, h.curl(a))
}

// curl is the request as a command; tokens are described and not shown.
func (h *httpSuite) curl(a ask) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	parts := []string{"curl -i -X " + a.method}
	authorized := false
	for i := 0; i+1 < len(a.header); i += 2 {
		value := a.header[i+1]
		for name, token := range h.credentials {
			if token != "" {
				value = strings.ReplaceAll(value, token, "<"+h.describe(name)+">")
			}
		}
		authorized = authorized || strings.EqualFold(a.header[i], "Authorization")
		parts = append(parts, "-H "+quote(a.header[i]+": "+value))
	}
	if !authorized && h.credentials[a.who] != "" {
		parts = append(parts, "-H "+quote("Authorization: Bearer <"+h.describe(a.who)+">"))
	}
	if a.body != "" {
		body := a.body
		for _, token := range h.refresh {
			body = strings.ReplaceAll(body, token, "<token>")
		}
		parts = append(parts, "-H 'Content-Type: application/json'", "--data "+quote(body))
	}
	return strings.Join(append(parts, quote("http://SERVER"+a.path)), " \\\n  ")
}

func (h *httpSuite) describe(name string) string { return "token: " + cmp.Or(described[name], name) }
