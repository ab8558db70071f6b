package filesink

import (
	"context"
	"errors"
	"io/fs"
	"slices"
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
	case isAny(err, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.ESPIPE, syscall.EINVAL):
		// The path in the configuration cannot be a regular file.
		return retry.Setup
	}
	// Disk or quota full, I/O error, too many open files: they pass, and the events are
	// safe on the queue meanwhile.
	return retry.Transient
}

func isAny(err error, targets ...syscall.Errno) bool {
	return slices.ContainsFunc(targets, func(target syscall.Errno) bool { return errors.Is(err, target) })
}
