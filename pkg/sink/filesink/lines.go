package filesink

import (
	"fmt"
	"io"
	"os"
)

// writeLines appends lines to a file that is locked and open for appending, with one
// write. When that comes to nothing, it leaves the file as it was.
func writeLines(file *os.File, lines []byte) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	torn, err := isTorn(file, size)
	if err != nil {
		return err
	}
	if torn {
		lines = append([]byte{'\n'}, lines...)
	}
	if _, err := file.Write(lines); err != nil {
		// The part that fitted would be delivered twice when the batch comes again, and
		// end in half a line. We hold the lock, so nobody else has written since.
		if cutErr := file.Truncate(size); cutErr != nil {
			// Only the first error says why; the second must not change the class.
			return fmt.Errorf("%w (and the part that was written stays: %s)", err, cutErr.Error())
		}
		return err
	}
	return nil
}

// isTorn reports whether the file ends in half a line, as a crash leaves it.
func isTorn(file io.ReaderAt, size int64) (bool, error) {
	if size == 0 {
		return false, nil
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, size-1); err != nil {
		return false, fmt.Errorf("read the last byte: %w", err)
	}
	return last[0] != '\n', nil
}
