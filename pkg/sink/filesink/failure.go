package filesink

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// failure is the one judgement of what went wrong with a file or a stream.
func failure(err error) *sink.Failure {
	return sink.Fail(classOf(err), err.Error(), err)
}

func classOf(err error) retry.Class {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return retry.Cancelled
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		// Somebody has to change an owner, a mode or a mount.
		return retry.Setup
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP):
		// The path in the configuration cannot be a file.
		return retry.Setup
	}
	// Disk or quota full, I/O error, too many open files: they pass, and the events are
	// safe on the queue meanwhile.
	return retry.Transient
}
