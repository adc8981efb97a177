package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// httpClient sends one request over and over on one connection. It knows just enough of HTTP/1.1 for
// answers with a Content-Length: net/http's client costs about as much as the server it would measure.
type httpClient struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
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

var contentLength = []byte("content-length:")

// do sends the request and reads the answer up to its last byte.
func (c *httpClient) do() error {
	length, err := c.exchange()
	if err != nil {
		return err
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
	body := make([]byte, length)
	_, err = io.ReadFull(c.in, body)
	return body, err
}

func (c *httpClient) exchange() (length int, err error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return 0, fmt.Errorf("unexpected answer: %s", bytes.TrimSpace(status))
	}
	length = -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("the answer has no Content-Length")
	}
	return length, nil
}

// overHTTP is a variant's run: clients that ask address for path.
func overHTTP(address, path, token string) func(context.Context, int, time.Duration) (sample, error) {
	request := getRequest(address, path, token)
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
