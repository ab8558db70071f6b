package audit

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
)

// maxLineBytes is the longest line that is read: a record of the largest event, escaped. Longer ones are passed over.
const maxLineBytes = 8 << 20

// lines yields the lines of r that are not blank, without their ends. Each is good until the next. One that is too long
// comes as nil.
func lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		reader := bufio.NewReaderSize(r, 64<<10)
		var long []byte
		for {
			line, err := readLine(reader, &long)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, err)
				return
			}
			blank := line != nil && len(bytes.TrimSpace(line)) == 0
			if !blank && !yield(bytes.TrimRight(line, "\r\n"), nil) {
				return
			}
			if err != nil {
				return
			}
		}
	}
}

// readLine returns a line, or nil for one that is too long. long is where lines are put together.
func readLine(reader *bufio.Reader, long *[]byte) ([]byte, error) {
	piece, err := reader.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		if piece == nil {
			piece = []byte{}
		}
		return piece, err //nolint:wrapcheck // the caller says what it reads
	}
	line, tooLong := (*long)[:0], false
	line = append(line, piece...)
	for errors.Is(err, bufio.ErrBufferFull) {
		piece, err = reader.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(piece) > maxLineBytes; !tooLong {
			line = append(line, piece...)
		}
	}
	*long = line
	if tooLong {
		line = nil
	}
	return line, err //nolint:wrapcheck // the caller says what it reads
}
