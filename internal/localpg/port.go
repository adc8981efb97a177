package localpg

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

// Free ports are looked for below the range from which operating systems take the source ports of
// outgoing connections (from 32768 on Linux, 49152 on macOS): a port kept there would now and then
// be taken by somebody's connection at the next start.
const (
	firstPort = 20000
	lastPort  = 32000
)

// choosePort returns the port to start on: the wanted one, the kept one, or a free one. A port in
// avoid was found taken after it looked free.
func (s *Server) choosePort(avoid map[int]bool) (int, error) {
	if wanted := s.cfg.Port; wanted != 0 {
		if avoid[wanted] || !portFree(wanted) {
			return 0, fault.New(fault.ListenFailed,
				fmt.Sprintf("Port %d on 127.0.0.1 is taken by another program.", wanted),
				"Stop that program, or choose another port for the private server.")
		}
		return wanted, nil
	}
	kept := keptPort(s.paths.port)
	if kept != 0 && !avoid[kept] && portFree(kept) {
		return kept, nil
	}
	port, err := freePort(avoid)
	if err == nil && kept != 0 {
		s.cfg.Log.Warn("the port of the last start is taken, using another", "taken", kept, "port", port)
	}
	return port, err
}

func freePort(avoid map[int]bool) (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if !avoid[port] && portFree(port) {
			return port, nil
		}
	}
	return 0, fault.New(fault.ListenFailed,
		fmt.Sprintf("No free port was found on 127.0.0.1 between %d and %d.", firstPort, lastPort),
		"Choose a port for the private server, and check that 127.0.0.1 is up.")
}

// portFree reports whether nobody listens on port. It asks instead of listening there itself: a
// program that is being started elsewhere in this process would hold our socket for a moment longer.
// What it misses, the server's own start tells.
func portFree(port int) bool {
	conn, err := net.DialTimeout("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err == nil {
		_ = conn.Close() // it served its purpose
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// keptPort is the port of the last start, 0 when there is none or what is written is not a port.
func keptPort(path string) int {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil || port < 1 || port > 65535 {
		return 0
	}
	return port
}

func keepPort(path string, port int) error {
	if keptPort(path) == port {
		return nil
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(strconv.Itoa(port)+"\n"), 0o644); err != nil {
		return unusable(err, "write", temporary)
	}
	if err := os.Rename(temporary, path); err != nil {
		return unusable(err, "write", path)
	}
	return nil
}
