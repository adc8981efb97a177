package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"
)

// httpClient sends one request over and over on one connection. It knows just enough of HTTP/1.1 for
// answers with a Content-Length or in chunks: net/http's client costs about as much as the server it would
// measure.
type httpClient struct {
	conn       net.Conn
	in         *bufio.Reader
	request    []byte
	validator  string // the last ETag
	version    string // the last Vital-Version
	remembered bool   // the last answer said that it came from memory
	refusable  bool   // 429 is an answer, too
	refused    bool   // the last one was
}

func dialHTTP(address string, request []byte) (*httpClient, error) {
	conn, err := net.Dial("tcp", address) //nolint:noctx // loopback, and the run ends by a deadline
	if err != nil {
		return nil, err
	}
	return &httpClient{conn: conn, in: bufio.NewReaderSize(conn, 32<<10), request: request}, nil
}

// getRequest is a GET as bytes; token may be "".
func getRequest(address, path, token string) []byte {
	request := "GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if token != "" {
		request += "Authorization: Bearer " + token + "\r\n"
	}
	return []byte(request + "\r\n")
}

// postRequest is a POST of JSON that asks for the row back, and patchRequest a PATCH.
func postRequest(address, path, token, body string) []byte {
	return writeRequest("POST", address, path, token, body)
}

func patchRequest(address, path, token, body string) []byte {
	return writeRequest("PATCH", address, path, token, body)
}

func writeRequest(method, address, path, token, body string) []byte {
	return []byte(method + " " + path + " HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer " + token +
		"\r\nContent-Type: application/json\r\nPrefer: return=representation\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

var (
	contentLength    = []byte("content-length:")
	etagHeader       = []byte("etag:")
	versionHeader    = []byte("vital-version:")
	serverTiming     = []byte("server-timing:")
	transferEncoding = []byte("transfer-encoding: chunked")
)

// inChunks is the length of an answer that does not say it.
const inChunks = -1

// do sends the request and reads the answer up to its last byte.
func (c *httpClient) do() error {
	length, err := c.exchange()
	if err != nil {
		return err
	}
	if length == inChunks {
		return c.eachChunk(func(n int) error {
			_, err := c.in.Discard(n)
			return err
		})
	}
	_, err = c.in.Discard(length)
	return err
}

// body is do, for whoever wants to see the answer.
func (c *httpClient) body() ([]byte, error) {
	length, err := c.exchange()
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	keep := func(n int) error {
		_, err := io.CopyN(&body, c.in, int64(n))
		return err
	}
	if length == inChunks {
		err = c.eachChunk(keep)
	} else {
		err = keep(length)
	}
	return body.Bytes(), err
}

// eachChunk has read take the content of each chunk, and passes over what stands behind the last.
func (c *httpClient) eachChunk(read func(n int) error) error {
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

// exchange sends the request and reads the answer up to its body.
func (c *httpClient) exchange() (length int, err error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	empty := bytes.HasPrefix(status, []byte("HTTP/1.1 304")) || bytes.HasPrefix(status, []byte("HTTP/1.1 204")) // have no body
	c.refused = c.refusable && bytes.HasPrefix(status, []byte("HTTP/1.1 429"))
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 2")) && !empty && !c.refused {
		return 0, fmt.Errorf("unexpected answer: %s", bytes.TrimSpace(status))
	}
	length, known := 0, empty
	c.remembered, c.version = false, ""
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		switch {
		case len(line) <= len("\r\n"):
			if !known {
				return 0, errors.New("the answer has neither a Content-Length nor chunks")
			}
			return length, nil
		case hasPrefixFold(line, etagHeader):
			c.validator = string(bytes.TrimSpace(line[len(etagHeader):]))
		case hasPrefixFold(line, versionHeader):
			c.version = string(bytes.TrimSpace(line[len(versionHeader):]))
		case hasPrefixFold(line, serverTiming):
			c.remembered = bytes.Contains(line, []byte("cache;"))
		case hasPrefixFold(line, contentLength):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return 0, err
			}
			known = true
		case hasPrefixFold(line, transferEncoding):
			length, known = inChunks, true
		}
	}
}

func hasPrefixFold(line, prefix []byte) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], prefix)
}

// ask sends a request once.
func ask(address string, request []byte) ([]byte, error) {
	c, err := dialHTTP(address, request)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	return c.body()
}

// askValidator sends a request once and returns the answer's ETag besides.
func askValidator(address string, request []byte) (body []byte, validator string, err error) {
	c, err := dialHTTP(address, request)
	if err != nil {
		return nil, "", err
	}
	defer c.conn.Close()
	body, err = c.body()
	return body, c.validator, err
}

// withHeader is request with a header more.
func withHeader(request []byte, name, value string) []byte {
	head, body, _ := bytes.Cut(request, []byte("\r\n\r\n"))
	return slices.Concat(head, []byte("\r\n"+name+": "+value+"\r\n\r\n"), body)
}

// overHTTP is a variant's run: clients that ask address for path.
func overHTTP(address, path, token string) func(context.Context, int, time.Duration) (sample, error) {
	return sending(address, getRequest(address, path, token))
}

// sending is a variant's run: clients that send address the same request.
func sending(address string, request []byte) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		return closedLoop(ctx, clients, slice, func(int) (worker, error) {
			c, err := dialHTTP(address, request)
			if err != nil {
				return worker{}, err
			}
			return worker{do: c.do, done: func() { c.conn.Close() }}, nil
		})
	}
}
