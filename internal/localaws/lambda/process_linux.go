package lambda

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// childAttributes puts a process into its own group, so that its children die with it, and asks the kernel to kill it
// when the thread that started it ends: Pdeathsig is about threads, which is why one locked thread starts all processes.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// residentMB is the memory that a process holds now, 0 when it is gone.
func residentMB(pid int) int {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm") // pages: size, resident, …
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize() >> 20
}
