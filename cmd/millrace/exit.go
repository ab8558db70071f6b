package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Exit codes, a contract with scripts.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
)

// exitError is an error with the exit code it deserves.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usageError says that the command line or the configuration is wrong.
func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// exitCode reads the exit code of an error. An address where nothing listens is told apart from every other
// failure, because scripts wait for it.
func exitCode(err error) int {
	var known *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &known):
		return known.code
	case isUnreachable(err):
		return exitUnreachable
	}
	return exitFailed
}

func isUnreachable(err error) bool {
	var name *net.DNSError
	return errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &name)
}

// unreachableHint adds the next step to an error that means that nothing listens at address.
func unreachableHint(err error, address string) error {
	if !isUnreachable(err) {
		return err
	}
	return &exitError{code: exitUnreachable, err: fmt.Errorf(
		"nothing answers at %s\nStart it with: millrace dev --config examples/quickstart/millrace.yaml", address)}
}
