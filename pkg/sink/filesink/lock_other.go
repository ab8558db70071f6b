//go:build !unix || solaris || aix

package filesink

import (
	"context"
	"os"
)

// lock does nothing where there is no flock(2). One write of an append-only file is
// still whole there; only one process at a time should write it.
func lock(context.Context, *os.File) error { return nil }
