package audit

import (
	"bufio"
	"bytes"
	"io"
)

// identifyBytes bounds the first line of an output that is looked at.
const identifyBytes = 1 << 20

// Identify looks at the first line of a sink's output: a record tells tenant and source, a list of ids does not. Read on
// with the reader that it returns.
func Identify(r io.Reader) (Identity, io.Reader) {
	reader := bufio.NewReaderSize(r, identifyBytes)
	line := firstLine(reader)
	if d, err := deliveredOf(line); err == nil && d.Tenant != "" && d.Source != "" {
		return ByEvent, reader
	}
	return ByID, reader
}

// firstLine returns the first line, or its beginning, and leaves it unread. It waits for no more than the line.
func firstLine(reader *bufio.Reader) []byte {
	for searched := 0; ; {
		head, err := reader.Peek(searched + 1)
		head, _ = reader.Peek(max(len(head), reader.Buffered())) // what is there does not fail
		if end := bytes.IndexByte(head[searched:], '\n'); end >= 0 {
			return head[:searched+end]
		}
		if searched = len(head); err != nil || searched == identifyBytes {
			return head
		}
	}
}
