package coherence

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"
)

// client sends requests on one connection that it keeps, and makes anew when it was lost. It knows just enough of
// HTTP/1.1: net/http's client costs more than the servers it would ask.
type client struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
	body    []byte
}

// answer is good until the next request.
type answer struct {
	status        int
	version, etag string
	remembered    bool // it came from memory
	body          []byte
}

// patience is how long an answer may take: longer than any server lets a request take.
const patience = 25 * time.Second

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// do sends a request and reads its answer. After an error nobody knows whether it was carried out.
func (c *client) do(request []byte) (a answer, err error) {
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.conn == nil {
		if c.conn, err = net.DialTimeout("tcp", c.address, 5*time.Second); err != nil { //nolint:noctx // it has a time of its own
			c.conn = nil
			return a, notSentError{err}
		}
		c.in = bufio.NewReaderSize(c.conn, 16<<10)
	}
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return a, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return a, err
	}
	length, err := c.head(&a)
	if err != nil {
		return a, err
	}
	c.body = c.body[:0]
	if length == inChunks {
		err = c.chunks()
	} else {
		err = c.take(length)
	}
	a.body = c.body
	return a, err
}

// notSentError is that nobody was there to send anything to.
type notSentError struct{ error }

const inChunks = -1

// head reads up to the body, and says how long that is.
func (c *client) head(a *answer) (length int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("unexpected answer: %q", line)
	}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	known := a.status == 304 || a.status == 204
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
			known = true
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			length, known = inChunks, true
		case bytes.EqualFold(name, []byte("vital-version")):
			a.version = string(value)
		case bytes.EqualFold(name, []byte("etag")):
			a.etag = string(value)
		case bytes.EqualFold(name, []byte("server-timing")):
			a.remembered = bytes.Contains(value, []byte("cache;"))
		}
	}
	if !known {
		return 0, errors.New("the answer has neither a Content-Length nor chunks")
	}
	return length, nil
}

func (c *client) take(length int) error {
	from := len(c.body)
	c.body = slices.Grow(c.body, length)[:from+length]
	_, err := io.ReadFull(c.in, c.body[from:])
	return err
}

func (c *client) chunks() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 31)
		if err != nil {
			return err
		}
		if err := c.take(int(size)); err != nil {
			return err
		}
		if _, err := c.in.Discard(len("\r\n")); err != nil || size == 0 {
			return err
		}
	}
}

// get is a GET as bytes, without its last line.
func get(path, token string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: vital\r\nAuthorization: Bearer " + token + "\r\n")
}

// send is another request with a body of JSON and lines of headers, as bytes.
func send(method, path, token, body string, headers ...string) []byte {
	request := method + " " + path + " HTTP/1.1\r\nHost: vital\r\nAuthorization: Bearer " + token +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	for _, header := range headers {
		request += header + "\r\n"
	}
	return []byte(request + "\r\n" + body)
}
