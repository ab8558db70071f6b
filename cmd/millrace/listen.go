package main

import (
	"errors"
	"fmt"
	"syscall"
)

// listenHint adds what to do to an error of listening on an address given by flag.
func listenHint(err error, flag string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w\nAnother program, perhaps another millrace, has this port. End it, or choose with %s 127.0.0.1:0 a free one", err, flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w\nPorts below 1024 need rights that this user does not have. Choose another with %s", err, flag)
	}
	return err
}
