package lambda

import "syscall"

// childAttributes puts a process into its own group, so that its children die with it, and asks the kernel to kill it
// when the thread that started it ends: Pdeathsig is about threads, which is why one locked thread starts all processes.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
