package traffic

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, answer, body, problem string }{
		{"OK", "HTTP/1.1 200 OK\r\nVary: x\r\ncontent-LENGTH: 5\r\n\r\nhello", "hello", ""},
		{"OKCreated", "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]", "[]", ""},
		{"OKInChunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nContent-Range: 0-1/*\r\n\r\n", "hello", ""},
		{"ErrStatus", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "", "401"},
		{"ErrNoLength", "HTTP/1.1 200 OK\r\n\r\n", "", "Content-Length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			near, far := net.Pipe()
			defer near.Close()
			go func() {
				defer far.Close()
				request, _ := bufio.NewReader(far).ReadString('\n')
				if strings.HasPrefix(request, "GET /x ") {
					_, _ = io.WriteString(far, c.answer)
				}
			}()
			client := &Client{conn: near, in: bufio.NewReader(near), Request: []byte("GET /x HTTP/1.1\n")}
			body, err := client.Body()
			if c.problem != "" {
				require.ErrorContains(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.body, string(body))
		})
	}
}
