package httpsend

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkSender_Send posts the records of 500 events of about 1 KB over loopback. It
// includes the server, which reads and forgets.
func BenchmarkSender_Send(b *testing.B) {
	body := []byte{}
	for i := range 500 {
		body = appendRecord(body, i)
	}
	for _, o := range []Options{
		{Compression: None}, {Compression: Gzip, CompressionLevel: 1}, {Compression: Gzip, CompressionLevel: 6}, {Compression: Zstd},
	} {
		b.Run(fmt.Sprintf("%s%d", o.Compression, o.CompressionLevel), func(b *testing.B) {
			var wire int64
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				wire, _ = io.Copy(io.Discard, r.Body)
			}))
			defer server.Close()
			o.URL = server.URL
			s, err := New(o)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			request := Request{Key: "3f0c6f2e", Append: func(dst []byte) []byte { return append(dst, body...) }}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Send(context.Background(), request); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(wire), "wire-B/op")
		})
	}
}

// appendRecord appends a record of about 1 KB: nested, with escapes and text that
// repeats about as much as real events do.
func appendRecord(dst []byte, i int) []byte {
	words := [...]string{"signup", "checkout", "pricing", "dashboard", "export", "invite", "billing", "search"}
	dst = fmt.Appendf(dst, `{"id":"0195e0a4-3c1b-7c55-9d0e-%012x","source":"web","type":"%s","time":"2026-03-01T10:%02d:%02d.%03dZ","subject":"user-%d","tenant":"acme","data":{"event":"%s","properties":{`,
		i*2654435761, words[i%8], i/60%60, i%60, i*7%1000, i*31%977, words[i%8])
	for j := range 14 {
		dst = fmt.Appendf(dst, `"property_%d":"%s %x \"%s\"",`, j, words[(i+j)%8], (i+1)*(j+3)*7919, words[(i*j)%8])
	}
	return fmt.Appendf(dst, `"$lib":"web","$lib_version":"1.400.0","$os":"Linux","numbers":[%d,%d,%d],"geo":{"city":"Zürich","lat":47.%d}}}}`+"\n", i, i*i, i*3, i)
}
