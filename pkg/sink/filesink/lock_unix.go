//go:build unix && !solaris && !aix

package filesink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockPoll is how often a lock that another process holds is asked for again. A batch
// takes a few milliseconds, most of them for the disk.
const lockPoll = 2 * time.Millisecond

// lock takes the exclusive lock of an open file, which ends with the file. It asks again
// and again instead of blocking, because a blocked flock(2) cannot be called off.
func lock(ctx context.Context, file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
