//go:build !linux

package localpg

import "syscall"

// signalWhenOrphaned does nothing where the kernel has no such signal: a server that outlives us
// there is stopped by the next start.
func signalWhenOrphaned(*syscall.SysProcAttr, syscall.Signal) {}
