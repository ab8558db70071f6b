//go:build unix

package filesink

import (
	"context"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func TestClassOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want retry.Class
	}{
		{"the caller stopped", context.Canceled, retry.Cancelled},
		{"the caller's deadline passed", context.DeadlineExceeded, retry.Cancelled},
		{"no permission to open", syscall.EACCES, retry.Setup},
		{"no permission to change", syscall.EPERM, retry.Setup},
		{"a read-only file system", syscall.EROFS, retry.Setup},
		{"a pipe instead of a file", syscall.ESPIPE, retry.Setup},
		{"a loop of links", syscall.ELOOP, retry.Setup},
		{"the disk is full", syscall.ENOSPC, retry.Transient},
		{"the quota is used up", syscall.EDQUOT, retry.Transient},
		{"the disk is broken", syscall.EIO, retry.Transient},
		{"too many open files", syscall.EMFILE, retry.Transient},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := classOf(fmt.Errorf("open: %w", &fs.PathError{Op: "open", Path: "events.ndjson", Err: c.err})); got != c.want {
				t.Errorf("classOf(%v) = %s, want %s", c.err, got, c.want)
			}
		})
	}
}
