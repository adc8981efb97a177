package localpg

import (
	"os"
	"strconv"
	"strings"
)

const mebibyte = 1 << 20

// sharedBuffers is what the server keeps of its tables in memory: an eighth of what this machine, or the container it is in, has,
// from 128 MiB to 1 GiB. It is taken when it is used.
func sharedBuffers() string {
	meminfo, _ := os.ReadFile("/proc/meminfo") // elsewhere than on Linux there is none
	limit, _ := os.ReadFile("/sys/fs/cgroup/memory.max")
	return strconv.FormatInt(min(max(memory(string(meminfo), string(limit))/8, 128*mebibyte), 1024*mebibyte)/mebibyte, 10) + "MB"
}

// memory is how many bytes there are, as the kernel's two files say; 0 where they do not.
func memory(meminfo, limit string) int64 {
	var bytes int64
	for line := range strings.Lines(meminfo) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			kilobytes, _ := strconv.ParseInt(fields[1], 10, 64)
			bytes = kilobytes << 10
		}
	}
	if limited, err := strconv.ParseInt(strings.TrimSpace(limit), 10, 64); err == nil && limited < bytes { // else "max"
		return limited
	}
	return bytes
}
