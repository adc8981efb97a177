package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// accounted is run, with the CPU time that the server and Postgres take for each operation. On a machine that
// has other things to do it says more than the clock. It is left out where there is no /proc.
func (w *world) accounted(server int, run func(context.Context, int, time.Duration) (sample, error)) func(context.Context, int, time.Duration) (sample, error) {
	return func(ctx context.Context, clients int, slice time.Duration) (sample, error) {
		postgres := w.postmaster()
		before := processes()
		s, err := run(ctx, clients, slice)
		after := processes()
		if s.Count > 0 {
			each := func(root int) float64 {
				return float64((after.used(root) - before.used(root)).Microseconds()) / float64(s.Count)
			}
			s.ServerCPU, s.PostgresCPU = each(server), each(postgres)
		}
		return s, err
	}
}

// postmaster is the process all backends are children of, 0 where it is not known.
func (w *world) postmaster() int {
	pid, _ := strconv.Atoi(firstLine(filepath.Join(w.dir, "data", "postgres", "postmaster.pid")))
	return pid
}

// processTable is what each process has used, by its parent.
type processTable map[int]map[int]time.Duration

// processes reads the table; a process that ends meanwhile is its parent's from then on.
func processes() processTable {
	table := processTable{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		content, _ := os.ReadFile(path)
		pid, parent, used, ok := parseStat(content)
		if !ok {
			continue
		}
		if table[parent] == nil {
			table[parent] = map[int]time.Duration{}
		}
		table[parent][pid] = used
	}
	return table
}

// tick is the unit of /proc/*/stat.
const tick = 10 * time.Millisecond

// parseStat reads a line of /proc/*/stat; used includes children that have been waited for.
func parseStat(line []byte) (pid, parent int, used time.Duration, ok bool) {
	end := bytes.LastIndexByte(line, ')') // a name may hold anything
	if end < 0 {
		return 0, 0, 0, false
	}
	fields := bytes.Fields(line[end+1:])
	if len(fields) < 15 {
		return 0, 0, 0, false
	}
	number := func(text []byte) int {
		n, err := strconv.Atoi(string(text))
		ok = ok && err == nil
		return n
	}
	ok = true
	first, _, _ := bytes.Cut(line, []byte(" "))
	pid, parent = number(first), number(fields[1])
	for _, field := range fields[11:15] {
		used += time.Duration(number(field)) * tick
	}
	return pid, parent, used, ok
}

// used is what root and everything below it have used.
func (t processTable) used(root int) time.Duration {
	var total time.Duration
	for _, children := range t {
		total += children[root]
	}
	for child := range t[root] {
		total += t.used(child)
	}
	return total
}
