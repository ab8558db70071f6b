package receiver_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

func compress(t testing.TB, encoding string, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	var err error
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&buf)
	case "zlib":
		w = zlib.NewWriter(&buf)
	case "flate":
		w, err = flate.NewWriter(&buf, flate.DefaultCompression)
	case "zstd":
		w, err = zstd.NewWriter(&buf)
	default:
		return data
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestBody_UndoesEncodings(t *testing.T) {
	t.Parallel()
	const plain = `{"event":"checkout","note":"größe größe größe"}`
	for _, tt := range []struct {
		name    string
		encoded []string // applied in order
		header  []string
	}{
		{"nothing declared", nil, nil},
		{"identity", nil, []string{"identity"}},
		{"gzip", []string{"gzip"}, []string{"gzip"}},
		{"gzip in capitals with spaces", []string{"gzip"}, []string{" GZip "}},
		{"x-gzip", []string{"gzip"}, []string{"x-gzip"}},
		{"gzip that nobody declared", []string{"gzip"}, nil},
		{"gzip declared as identity", []string{"gzip"}, []string{"identity"}},
		{"deflate as zlib", []string{"zlib"}, []string{"deflate"}},
		{"deflate as a raw stream", []string{"flate"}, []string{"deflate"}},
		{"zstd", []string{"zstd"}, []string{"zstd"}},
		{"gzip twice, declared twice", []string{"gzip", "gzip"}, []string{"gzip, gzip"}},
		{"gzip twice, declared once", []string{"gzip", "gzip"}, []string{"gzip"}},
		{"zstd of gzip in two header fields", []string{"gzip", "zstd"}, []string{"gzip", "zstd"}},
		{"an encoding of the receiver's own", nil, []string{"lz64"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := []byte(plain)
			for _, e := range tt.encoded {
				body = compress(t, e, body)
			}
			got, err := receiver.Body(body, http.Header{"Content-Encoding": tt.header}, []string{"lz64"}, limits())
			if err != nil || string(got) != plain {
				t.Errorf("Body = %q, %v, want %q", got, err, plain)
			}
		})
	}
}

func TestBody_Refuses(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 2<<20)
	cut := func(b []byte) []byte { return b[:len(b)-9] }
	for _, tt := range []struct {
		name   string
		body   []byte
		header string
		status int
		want   string
	}{
		{"an unknown encoding", []byte("{}"), "br", http.StatusUnsupportedMediaType, `Content-Encoding "br" is not supported; accepted are gzip, deflate, zstd, identity`},
		{"too many encodings", []byte("{}"), "gzip, gzip, gzip, gzip", http.StatusUnsupportedMediaType, "more than 3 content encodings"},
		{"gzip that is none", []byte(`{"a":1}`), "gzip", http.StatusBadRequest, "body is not gzip as declared: it starts with 7b 22 61 22"},
		{"gzip of nothing", nil, "gzip", http.StatusBadRequest, "body is not gzip as declared: it starts with "},
		{"gzip cut off", cut(compress(t, "gzip", zeros[:1000])), "gzip", http.StatusBadRequest, "gzip body ends too early"},
		{"zstd cut off", cut(compress(t, "zstd", []byte(strings.Repeat("a b c", 100)))), "zstd", http.StatusBadRequest, "zstd body ends too early"},
		{"zstd that is none", []byte(`{"a":1}`), "zstd", http.StatusBadRequest, "zstd body is broken: "},
		{"deflate that is none", []byte(`{"a":1}`), "deflate", http.StatusBadRequest, "deflate body "},
		{"a gzip bomb", compress(t, "gzip", zeros), "gzip", http.StatusRequestEntityTooLarge, "body is over the limit of 1048576 bytes after gzip is undone (limit decoded_bytes)"},
		{"a gzip bomb nobody declared", compress(t, "gzip", zeros), "", http.StatusRequestEntityTooLarge, "body is over the limit of 1048576 bytes after gzip is undone (limit decoded_bytes)"},
		{"a gzip bomb in gzip", compress(t, "gzip", compress(t, "gzip", zeros)), "gzip", http.StatusRequestEntityTooLarge, "body is over the limit of 1048576 bytes after gzip is undone (limit decoded_bytes)"},
		{"a deflate bomb", compress(t, "zlib", zeros), "deflate", http.StatusRequestEntityTooLarge, "body is over the limit of 1048576 bytes after deflate is undone (limit decoded_bytes)"},
		{"a zstd bomb", compress(t, "zstd", zeros), "zstd", http.StatusRequestEntityTooLarge, "body is over the limit of 1048576 bytes after zstd is undone (limit decoded_bytes)"},
		{"a body over the limit", zeros, "", http.StatusRequestEntityTooLarge, "body is over the limit of 1048576 bytes (limit body_bytes)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := receiver.Body(tt.body, http.Header{"Content-Encoding": {tt.header}}, nil, limits())
			e, ok := errors.AsType[*receiver.Error](err)
			if !ok || e.Status != tt.status || !strings.HasPrefix(e.Message, tt.want) {
				t.Errorf("error = %v, want %d: %s", err, tt.status, tt.want)
			}
		})
	}
}

func FuzzBody(f *testing.F) {
	for _, e := range []string{"gzip", "zlib", "flate", "zstd"} {
		f.Add(compress(f, e, []byte(`{"a":"größe"}`)), "gzip")
		f.Add(compress(f, e, []byte(`{"a":"größe"}`)), "deflate")
		f.Add(compress(f, e, []byte(`{"a":"größe"}`)), "zstd, gzip")
	}
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		l := limits()
		l.DecodedBytes = 1 << 12
		got, err := receiver.Body(body, http.Header{"Content-Encoding": {encoding}}, nil, l)
		if err == nil && len(got) > l.DecodedBytes {
			t.Errorf("%d bytes, over the limit of %d", len(got), l.DecodedBytes)
		}
		if e, ok := errors.AsType[*receiver.Error](err); err != nil && (!ok || e.Status < 400 || e.Status > 499) {
			t.Errorf("error = %#v, want a *receiver.Error that blames the request", err)
		}
	})
}
