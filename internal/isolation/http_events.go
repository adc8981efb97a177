package isolation

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	flagEventsPath    = "/ofrep/v1/events"
	contextEventsPath = "/v1/context/events"
	// streamEnds is how soon a stream ends that nobody may listen to any more.
	streamEnds = 10 * time.Second
)

// eventStream is a kind of stream: where it is, and how one asks for its address.
type eventStream struct {
	path    string
	address func(ctx context.Context, who string) (string, error)
}

func (h *httpSuite) eventStreams() []eventStream {
	return []eventStream{{flagEventsPath, h.flagStream}, {contextEventsPath, h.contextStream}}
}

func (h *httpSuite) flagStream(ctx context.Context, who string) (string, error) {
	var bulk struct {
		Streams []struct {
			Endpoint struct {
				URI string `json:"requestUri"`
			} `json:"endpoint"`
		} `json:"eventStreams"`
	}
	got := h.send(ctx, ask{method: http.MethodPost, path: flagsPath, body: "{}", who: who})
	if err := decode(got, &bulk); err != nil || len(bulk.Streams) == 0 {
		return "", fmt.Errorf("ask for a stream of flags: status %d %s", got.status, got.body)
	}
	return bulk.Streams[0].Endpoint.URI, nil
}

func (h *httpSuite) contextStream(ctx context.Context, who string) (string, error) {
	var address struct {
		URL string `json:"url"`
	}
	got := h.send(ctx, ask{method: http.MethodPost, path: contextEventsPath, who: who})
	if err := decode(got, &address); err != nil || address.URL == "" {
		return "", fmt.Errorf("ask for a stream of the context: status %d %s", got.status, got.body)
	}
	return address.URL, nil
}

// tokenIn is the token of a stream's address.
func tokenIn(address string) string {
	_, token, _ := strings.Cut(address, "token=")
	token, _, _ = strings.Cut(token, "&")
	return token
}

// firstEvent reads a stream to the end of its first event.
func firstEvent(from io.Reader) (string, error) {
	var text strings.Builder
	for in := bufio.NewReader(from); ; {
		line, err := in.ReadString('\n')
		text.WriteString(line)
		switch {
		case err == io.EOF || line == "\n":
			return text.String(), nil
		case err != nil:
			return text.String(), err
		}
	}
}

// attackEvents tries to hear of the other tenant's changes.
func (h *httpSuite) attackEvents(ctx context.Context) error {
	streams := h.eventStreams()
	for i, s := range streams {
		if err := h.attackAddress(ctx, s, streams[1-i]); err != nil {
			return err
		}
		if err := h.attackResumption(ctx, s); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// attackAddress opens a stream with what is no address of the other tenant's: the own one altered, that of the other
// stream, and other tokens.
func (h *httpSuite) attackAddress(ctx context.Context, s, another eventStream) error {
	address, err := s.address(ctx, "owner")
	if err != nil {
		return err
	}
	elsewhere, err := another.address(ctx, "owner")
	if err != nil {
		return err
	}
	payload, signature, _ := strings.Cut(tokenIn(address), ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return fmt.Errorf("read a stream's token: %w", err)
	}
	altered := func(from, to string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(strings.ReplaceAll(string(text), from, to)))
	}
	control := h.send(ctx, ask{method: http.MethodGet, path: address, who: "nobody"})
	theirs := altered(h.mine.tenant, h.other.tenant)
	for _, a := range []struct{ title, token string }{
		{"name the other tenant in the own stream's token", theirs + "." + signature},
		{"name the other tenant's owner in the own stream's token", altered(h.mine.members["owner"], h.other.members["owner"]) + "." + signature},
		{"leave the signature of a stream's token away", theirs + "."},
		{"cut the signature of a stream's token", theirs + "." + signature[:len(signature)/2]},
		{"use an access token as a stream's", h.credentials["owner"]},
		{"use the token of another stream", tokenIn(elsewhere)},
		{"open a stream without a token", ""},
	} {
		h.expectDeaf(ctx, s, "foreign-stream", a.title, ask{method: http.MethodGet, path: s.path + "?token=" + a.token, who: "nobody"}, control)
	}
	for _, named := range []string{h.other.tenant, h.theirs["slug"]} {
		header := []string{"Vital-Tenant", named}
		may := h.send(ctx, ask{method: http.MethodGet, path: s.path, header: header, who: "their owner"})
		for _, who := range []string{"owner", "member", "intruder"} {
			h.expectDeaf(ctx, s, "foreign-stream", "open a stream of the other tenant by its name", ask{method: http.MethodGet, path: s.path, header: header, who: who}, may)
		}
	}
	for _, who := range []string{"nobody", "anon key", "made-up key", "revoked key", "no sub"} {
		h.expectDeaf(ctx, s, "nobodys-stream", "open a stream without a user or a tenant's key", ask{method: http.MethodGet, path: s.path, who: who}, control)
	}
	return ctx.Err()
}

// expectDeaf sends a, which must be refused, after the same was opened by who may.
func (h *httpSuite) expectDeaf(ctx context.Context, s eventStream, name, title string, a ask, control reply) {
	got := h.send(ctx, a)
	outcome, evidence := Blocked, ""
	switch {
	case got.status != 0 && got.status < http.StatusBadRequest:
		outcome, evidence = Leaked, fmt.Sprintf("it was let through, with status %d", got.status)
	case !control.ok():
		outcome, evidence = Untried, fmt.Sprintf("the control does not work: it is answered with %d %s", control.status, firstLine(control.body))
	}
	h.noteStream(s, name, title, a, evidence, outcome)
}

// noteStream is note without the token of the address.
func (h *httpSuite) noteStream(s eventStream, name, title string, a ask, evidence string, outcome Outcome) {
	if strings.Contains(a.path, "token=") {
		a.path = s.path + "?token=…"
	}
	h.note(name, "listen", title, authenticates, "GET "+s.path, a.who, evidence, outcome, a)
}

// attackResumption goes on where the other tenant's stream was: it is answered as what nobody's was, and from the own.
func (h *httpSuite) attackResumption(ctx context.Context, s eventStream) error {
	id := func(got reply) string {
		for line := range strings.Lines(got.body) {
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				return strings.TrimSpace(id)
			}
		}
		return ""
	}
	address, err := s.address(ctx, "owner")
	if err != nil {
		return err
	}
	address, _, _ = strings.Cut(address, "&since=")
	theirs := h.send(ctx, ask{method: http.MethodGet, path: s.path, who: "their owner"})
	own := h.send(ctx, ask{method: http.MethodGet, path: s.path, who: "owner"})
	for _, way := range []struct{ title, path, who string }{
		{"go on in the own stream where the other tenant's was", s.path, "owner"},
		{"go on by the own address where the other tenant's stream was", address, "nobody"},
	} {
		a := ask{method: http.MethodGet, path: way.path, header: []string{"Last-Event-ID", id(theirs)}, who: way.who}
		got := h.send(ctx, a)
		twin := h.send(ctx, ask{method: http.MethodGet, path: way.path, header: []string{"Last-Event-ID", "0.0.0.0-00000000"}, who: way.who})
		outcome, evidence := Blocked, ""
		switch found := h.canaryIn(got.text(), id(theirs)); {
		case found != "":
			outcome, evidence = Leaked, "the other tenant's value "+found+" came back"
		case id(got) != id(own) || got.body != twin.body:
			outcome, evidence = Leaked, "it is answered otherwise than with what nobody's stream has told"
		case id(theirs) == "" || id(own) == "":
			outcome, evidence = Untried, fmt.Sprintf("the control does not work: %d %s", theirs.status, firstLine(theirs.body))
		}
		h.noteStream(s, "foreign-event-id", way.title, a, evidence, outcome)
	}
	return ctx.Err()
}

// heard are streams that were opened while one may, by header and by address.
type heard struct {
	asks  []ask // those by address
	kinds []eventStream
	ended []<-chan struct{}
	close func()
}

func (h *httpSuite) openStreams(ctx context.Context, who string) (*heard, error) {
	ctx, cancel := context.WithCancel(ctx)
	open := &heard{close: cancel}
	for _, s := range h.eventStreams() {
		address, err := s.address(ctx, who)
		if err != nil {
			cancel()
			return nil, err
		}
		byAddress := ask{method: http.MethodGet, path: address, who: "nobody"}
		open.asks = append(open.asks, byAddress)
		for _, a := range []ask{byAddress, {method: http.MethodGet, path: s.path, who: who}} {
			ended, err := h.listen(ctx, a)
			if err != nil {
				cancel()
				return nil, err
			}
			open.kinds, open.ended = append(open.kinds, s), append(open.ended, ended)
		}
	}
	return open, nil
}

// listen opens a stream; the channel is closed when it ends.
func (h *httpSuite) listen(ctx context.Context, a ask) (<-chan struct{}, error) {
	request, err := http.NewRequestWithContext(ctx, a.method, h.server.URL+a.path, nil)
	if err != nil {
		return nil, err
	}
	if token := h.credentials[a.who]; token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Transport: h.client.Transport} // without a bound
	response, err := client.Do(request)                  //nolint:bodyclose // whoever reads it closes it
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer response.Body.Close()               //nolint:errcheck // it was read
		_, _ = io.Copy(io.Discard, response.Body) // it ends with whatever
	}()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("open a stream: status %d", response.StatusCode)
	}
	return ended, nil
}

// expectEnded waits for streams that nobody may listen to any more.
func (h *httpSuite) expectEnded(ctx context.Context, name, title, reference string, open *heard) {
	late := time.After(streamEnds)
	for i, ended := range open.ended {
		s := open.kinds[i]
		outcome, evidence := Blocked, ""
		select {
		case <-ended:
		case <-ctx.Done():
			return
		case <-late:
			outcome, evidence = Leaked, fmt.Sprintf("it goes on after %s", streamEnds)
			late = time.After(0)
		}
		h.note(name, "replay", title, reference, "GET "+s.path, "whoever opened it before", evidence, outcome, ask{method: http.MethodGet, path: s.path + "?token=…", who: "nobody"})
	}
}
