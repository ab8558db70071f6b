package ingest

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// byter is a request body that is in memory already, as behind Lambda.
type byter interface{ Bytes() []byte }

// readBody reads the body as it arrived, under the limit for it.
func readBody(r *http.Request, limits receiver.Limits) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	if b, ok := r.Body.(byter); ok {
		return b.Bytes(), nil // receiver.Body checks the size
	}
	if r.ContentLength > int64(limits.BodyBytes) {
		return nil, receiver.BodyTooLarge(limits)
	}
	var buf bytes.Buffer
	buf.Grow(int(max(0, r.ContentLength)) + bytes.MinRead)
	// One byte over the limit is enough to know; the rest is not read.
	if _, err := buf.ReadFrom(io.LimitReader(r.Body, int64(limits.BodyBytes)+1)); err != nil {
		return nil, unreadable(err)
	}
	return buf.Bytes(), nil
}

func unreadable(err error) *receiver.Error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return receiver.Malformed("the body ended before its Content-Length")
	}
	return receiver.Malformed("the body could not be read: %v", err)
}
