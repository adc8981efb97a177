package localpg

import "syscall"

// signalWhenOrphaned has the kernel send sig to the child when the thread that starts it dies.
func signalWhenOrphaned(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }
