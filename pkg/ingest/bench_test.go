package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// discard is a queue that takes everything and keeps nothing.
type discard struct{}

func (discard) Send(context.Context, ...queue.Outgoing) error { return nil }

// benchEvents returns n events of about 1 KB: nested, with unicode, escapes and a uuid.
func benchEvents(n int) []string {
	events := make([]string, n)
	for i := range events {
		events[i] = fmt.Sprintf(`{"uuid":"0195e0a4-3c1b-7c55-9d0e-2f1c8a4b%04x","event":"checkout_started","distinct_id":"user-%d","timestamp":"2026-03-01T10:00:%02d.120Z",`+
			`"properties":{"$lib":"posthog-go","$lib_version":"1.23.1","$current_url":"https://shop.example/checkout?step=%d&ref=mail","$referrer":"https://search.example/?q=größe",`+
			`"$browser":"Firefox","$browser_version":131,"$os":"Linux","$screen_width":1920,"$screen_height":1080,"$session_id":"0195e0a4-0000-7c55-9d0e-%012x",`+
			`"cart":{"items":[{"sku":"A-%d","qty":2,"price":19.99,"name":"Café \"Noir\" ☕"},{"sku":"B-%d","qty":1,"price":4.5,"name":"Gr\u00f6\u00dfe \u2713"}],"currency":"EUR","total":%d.48},`+
			`"flags":{"new-checkout":true,"beta":false,"variant":null},"tags":["demo","größe","☕","a/b"],"note":"%s","path":"C:\\temp\\%d"}}`,
			i, i%97, i%60, i%5, i*7919, i, i, i, strings.Repeat("lorem ipsum ", 12), i)
	}
	return events
}

func posthogBody(n int) []byte {
	return []byte(`{"api_key":"` + webKey + `","batch":[` + strings.Join(benchEvents(n), ",") + `]}`)
}

func genericBody(n int) []byte {
	body := strings.Join(benchEvents(n), ",")
	body = strings.NewReplacer(`"uuid":`, `"id":`, `"event":`, `"type":`, `"distinct_id":`, `"subject":`, `"timestamp":`, `"time":`).Replace(body)
	return []byte("[" + body + "]")
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// BenchmarkHandler takes 50 events of 1 KB in one request. Compare with BenchmarkFloor.
func BenchmarkHandler(b *testing.B) {
	for _, bb := range []struct {
		name, target string
		body         []byte
		header       http.Header
	}{
		{"posthog", "/batch", posthogBody(50), http.Header{}},
		{"posthog gzip", "/batch", gzipped(b, posthogBody(50)), http.Header{"Content-Encoding": {"gzip"}}},
		{"generic", "/v1/ingest", genericBody(50), http.Header{"Authorization": {"Bearer " + webKey}}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h := setup(b, func(o *ingest.Options) { o.Queue = discard{} }).handler
			b.SetBytes(int64(len(posthogBody(50))))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, bb.target, bytes.NewReader(bb.body))
				r.Header = bb.header
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("status %d: %s", w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkFloor is the least that must be done with the same bytes: check the JSON,
// find the events, compress them.
func BenchmarkFloor(b *testing.B) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	body := genericBody(50)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		d := jsontext.NewDecoder(bytes.NewBuffer(body))
		if _, err := d.ReadToken(); err != nil {
			b.Fatal(err)
		}
		n := 0
		for d.PeekKind() != ']' {
			if _, err := d.ReadValue(); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 50 || len(encoder.EncodeAll(body, make([]byte, 0, len(body)/2))) == 0 {
			b.Fatal("floor did not do its work")
		}
	}
}
