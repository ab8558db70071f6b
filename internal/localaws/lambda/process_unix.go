//go:build unix && !linux

package lambda

import "syscall"

// childAttributes puts a process into its own group, so that its children die with it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
