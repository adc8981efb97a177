package schema

import "syscall"

// freeBytes is how much may still be written where dir is.
func freeBytes(dir string) (free uint64, known bool) {
	var of syscall.Statfs_t
	if err := syscall.Statfs(dir, &of); err != nil {
		return 0, false
	}
	return of.Bavail * uint64(of.Bsize), true
}
