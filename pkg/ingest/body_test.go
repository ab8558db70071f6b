package ingest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// whole is a body that is in memory already, and must not be read.
type whole struct{ data string }

func (whole) Read([]byte) (int, error) { return 0, errors.New("read, although the bytes are there") }
func (whole) Close() error             { return nil }
func (w whole) Bytes() []byte          { return []byte(w.data) }

func TestHandler_ReadsBodies(t *testing.T) {
	t.Parallel()
	small := receiver.DefaultLimits()
	small.BodyBytes = 20
	for _, tt := range []struct {
		name   string
		body   io.ReadCloser
		length int64 // -1: chunked
		status int
		want   string
	}{
		{"chunked", io.NopCloser(iotest.OneByteReader(strings.NewReader(`{"id":"a"}`))), -1, 200, `{"accepted":1,"refused":[]}`},
		{"with a length", io.NopCloser(strings.NewReader(`{"id":"a"}`)), 10, 200, `{"accepted":1,"refused":[]}`},
		{"in memory", whole{`{"id":"a"}`}, 10, 200, `{"accepted":1,"refused":[]}`},
		{"in memory, too large", whole{strings.Repeat(" ", 21)}, 21, 413, "body is over the limit of 20 bytes (limit body_bytes)"},
		{"chunked, too large", io.NopCloser(strings.NewReader(strings.Repeat(" ", 21))), -1, 413, "body is over the limit of 20 bytes (limit body_bytes)"},
		{"announced too large", io.NopCloser(iotest.ErrReader(errors.New("read, although too large"))), 21, 413, "body is over the limit of 20 bytes (limit body_bytes)"},
		{"cut off", io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)), 10, 400, "the body ended before its Content-Length"},
		{"unreadable", io.NopCloser(iotest.ErrReader(errors.New("reset"))), 10, 400, "the body could not be read: reset"},
		{"none", nil, 0, 400, "empty body"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *ingest.Options) { o.Limits = small })
			r := httptest.NewRequest(http.MethodPost, "/v1/ingest?key=phc_demo", nil)
			r.Body, r.ContentLength = tt.body, tt.length
			w := httptest.NewRecorder()
			b.handler.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("reply = %d %s, want %d with %s", w.Code, w.Body, tt.status, tt.want)
			}
		})
	}
}
