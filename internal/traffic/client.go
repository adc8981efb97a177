// Package traffic asks a running server for what its users ask for, at a rate that does not depend on its answers, and says how long
// each waited. It knows the server by its address alone.
package traffic

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"
)

// Client sends requests on one connection. It knows just enough of HTTP/1.1 for
// answers with a Content-Length or in chunks: net/http's client costs about as much as the server it would
// measure.
type Client struct {
	Address    string // of the server
	Request    []byte // what Do sends
	Validator  string // the last ETag
	Version    string // the last answer's Vital-Version
	Remembered bool   // the last answer said that it came from memory
	Refusable  bool   // 429 is an answer, too
	Refused    bool   // the last one was

	conn net.Conn
	in   *bufio.Reader
}

// Dial connects to address to send request.
func Dial(address string, request []byte) (*Client, error) {
	return dial(address, nil, request)
}

// dial is Dial, over TLS where settings are given.
func dial(address string, settings *tls.Config, request []byte) (*Client, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	var conn net.Conn
	var err error
	if settings != nil {
		conn, err = tls.DialWithDialer(dialer, "tcp", address, settings) //nolint:noctx // the dialer's time is bounded
	} else {
		conn, err = dialer.Dial("tcp", address)
	}
	if err != nil {
		return nil, err
	}
	return &Client{Address: address, conn: conn, in: bufio.NewReaderSize(conn, 32<<10), Request: request}, nil
}

// Close hangs up.
func (c *Client) Close() error { return c.conn.Close() }

// Get is a GET as bytes; token may be "".
func Get(address, path, token string) []byte {
	request := "GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if token != "" {
		request += "Authorization: Bearer " + token + "\r\n"
	}
	return []byte(request + "\r\n")
}

// Post is a POST of JSON that asks for the row back; token may be "".
func Post(address, path, token, body string) []byte {
	return write("POST", address, path, token, body)
}

// Patch is a PATCH, else as Post.
func Patch(address, path, token, body string) []byte {
	return write("PATCH", address, path, token, body)
}

func write(method, address, path, token, body string) []byte {
	request := method + " " + path + " HTTP/1.1\r\nHost: " + address
	if token != "" {
		request += "\r\nAuthorization: Bearer " + token
	}
	return []byte(request + "\r\nContent-Type: application/json\r\nPrefer: return=representation\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

// WithHeader is request with a header more.
func WithHeader(request []byte, name, value string) []byte {
	head, body, _ := bytes.Cut(request, []byte("\r\n\r\n"))
	return slices.Concat(head, []byte("\r\n"+name+": "+value+"\r\n\r\n"), body)
}

// Reply is what came of a request.
type Reply struct {
	Status     int
	Validator  string // its ETag
	Version    string // its Vital-Version
	Remembered bool   // it said that it came from memory
	RetryAfter bool   // it said when to try again
	closes     bool   // the connection ends with it
}

// refused says whether the server turned a request away that it would answer another time.
func (r Reply) refused() bool { return r.Status == 429 || r.Status == 503 }

// answered says whether the request got what it was for.
func (r Reply) answered() bool { return r.Status >= 200 && r.Status < 300 || r.Status == 304 }

// Send sends request and reads the answer up to its last byte, into body where that is not nil.
func (c *Client) Send(request []byte, body *bytes.Buffer) (Reply, error) {
	if _, err := c.conn.Write(request); err != nil {
		return Reply{}, err
	}
	reply, length, err := c.head()
	if err != nil {
		return reply, err
	}
	read := func(n int) error {
		if body == nil {
			_, err := c.in.Discard(n)
			return err
		}
		_, err := io.CopyN(body, c.in, int64(n))
		return err
	}
	if length == inChunks {
		return reply, c.eachChunk(read)
	}
	return reply, read(length)
}

// Do sends the request and reads the answer up to its last byte. One that is none is an error.
func (c *Client) Do() error {
	_, err := c.body(nil)
	return err
}

// Body is Do, for whoever wants to see the answer.
func (c *Client) Body() ([]byte, error) {
	return c.body(&bytes.Buffer{})
}

func (c *Client) body(into *bytes.Buffer) ([]byte, error) {
	reply, err := c.Send(c.Request, into)
	if err != nil {
		return nil, err
	}
	if reply.Validator != "" {
		c.Validator = reply.Validator
	}
	c.Version = reply.Version
	c.Remembered, c.Refused = reply.Remembered, c.Refusable && reply.Status == 429
	if !reply.answered() && !c.Refused {
		return nil, fmt.Errorf("unexpected answer: %d", reply.Status)
	}
	if into == nil {
		return nil, nil
	}
	return into.Bytes(), nil
}

var (
	contentLength    = []byte("content-length:")
	etagHeader       = []byte("etag:")
	versionHeader    = []byte("vital-version:")
	serverTiming     = []byte("server-timing:")
	retryAfter       = []byte("retry-after:")
	connectionClose  = []byte("connection: close")
	transferEncoding = []byte("transfer-encoding: chunked")
	httpVersion      = []byte("HTTP/1.1 ")
)

// inChunks is the length of an answer that does not say it.
const inChunks = -1

// head reads an answer up to its body.
func (c *Client) head() (reply Reply, length int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return reply, 0, err
	}
	code, _, _ := bytes.Cut(bytes.TrimPrefix(line, httpVersion), []byte(" "))
	if reply.Status, err = strconv.Atoi(string(bytes.TrimSpace(code))); err != nil || !bytes.HasPrefix(line, httpVersion) {
		return reply, 0, fmt.Errorf("no answer of HTTP/1.1: %q", line)
	}
	known := reply.Status == 304 || reply.Status == 204 // have no body
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return reply, 0, err
		}
		switch {
		case len(line) <= len("\r\n"):
			if !known {
				return reply, 0, errors.New("the answer has neither a Content-Length nor chunks")
			}
			return reply, length, nil
		case hasPrefixFold(line, etagHeader):
			reply.Validator = string(bytes.TrimSpace(line[len(etagHeader):]))
		case hasPrefixFold(line, versionHeader):
			reply.Version = string(bytes.TrimSpace(line[len(versionHeader):]))
		case hasPrefixFold(line, serverTiming):
			reply.Remembered = bytes.Contains(line, []byte("cache;"))
		case hasPrefixFold(line, retryAfter):
			reply.RetryAfter = true
		case hasPrefixFold(line, connectionClose):
			reply.closes = true
		case hasPrefixFold(line, contentLength):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return reply, 0, err
			}
			known = true
		case hasPrefixFold(line, transferEncoding):
			length, known = inChunks, true
		}
	}
}

// eachChunk has read take the content of each chunk, and passes over what stands behind the last.
func (c *Client) eachChunk(read func(n int) error) error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		digits, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(";"))
		size, err := strconv.ParseUint(string(digits), 16, 31)
		if err != nil {
			return fmt.Errorf("read chunk: %w", err)
		}
		if size == 0 {
			break
		}
		if err := read(int(size)); err != nil {
			return err
		}
		if _, err := c.in.Discard(len("\r\n")); err != nil {
			return err
		}
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil || len(line) <= len("\r\n") {
			return err
		}
	}
}

func hasPrefixFold(line, prefix []byte) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], prefix)
}

// Ask sends a request once.
func Ask(address string, request []byte) ([]byte, error) {
	body, _, err := AskValidator(address, request)
	return body, err
}

// AskValidator sends a request once and returns the answer's ETag besides.
func AskValidator(address string, request []byte) (body []byte, validator string, err error) {
	c, err := Dial(address, request)
	if err != nil {
		return nil, "", err
	}
	defer c.Close()
	body, err = c.Body()
	return body, c.Validator, err
}
