package httpsink_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
	"github.com/millrace-dev/millrace/pkg/sink/record"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 10 * time.Second

// variants are the shapes of a request; the contract holds for each.
var variants = map[string]httpsink.Options{
	"NDJSON with gzip":       {},
	"JSON with zstd":         {Encoding: httpsink.JSON, Compression: httpsend.Zstd},
	"NDJSON, not compressed": {Compression: httpsend.None, RequireJSON: true},
}

func TestSink_Contract(t *testing.T) {
	t.Parallel()
	for name, options := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sinktest.RunHTTP(t, sinktest.HTTP{
				Timeout:     timeout,
				JSONReplies: options.RequireJSON,
				New: func(t *testing.T, to sinktest.Destination) sink.Sink {
					o := options
					o.Name, o.URL, o.Dial, o.Timeout = "test", to.URL+"?api_key=q9Zk2Lw7", to.Dial, timeout
					o.Headers = map[string]string{"Authorization": "Bearer s3cr3t/credential", "X-Api-Key": "k-0123456789"}
					s, err := httpsink.New(o)
					if err != nil {
						t.Fatal(err)
					}
					return s
				},
			})
		})
	}
}

func newSink(t *testing.T, o httpsink.Options) *httpsink.Sink {
	t.Helper()
	s, err := httpsink.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSink_Send_Golden(t *testing.T) {
	t.Parallel()
	b := sinktest.NewBatch(sinktest.NewEvent(0), sinktest.NewEvent(1))
	for _, c := range []struct {
		name        string
		encoding    httpsink.Encoding
		contentType string
		headers     map[string]string
		golden      string
	}{
		{"NDJSON", httpsink.NDJSON, "application/x-ndjson", nil, "batch.ndjson"},
		{"a JSON array", httpsink.JSON, "application/json", nil, "batch.json"},
		{"a content type of the configuration", httpsink.JSON, "application/vnd.acme+json", map[string]string{"content-type": "application/vnd.acme+json"}, "batch.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := sinktest.NewServer(t, sinktest.ServerOptions{})
			s := newSink(t, httpsink.Options{URL: server.Destination().URL, Encoding: c.encoding, Headers: c.headers})
			if _, err := s.Send(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			r := server.Requests()[0]
			path := filepath.Join("testdata", c.golden)
			if *update {
				if err := os.WriteFile(path, r.Body, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(r.Body)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			got := []string{r.Method, r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"), r.Header.Get("Idempotency-Key")}
			if diff := cmp.Diff([]string{"POST", c.contentType, "gzip", b.Key}, got); diff != "" {
				t.Errorf("method, type, encoding, key (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSink_Limits: a batch grouped by the limits is never encoded to more than MaxBytes,
// unless it is a single event.
func TestSink_Limits(t *testing.T) {
	t.Parallel()
	for _, encoding := range []httpsink.Encoding{httpsink.NDJSON, httpsink.JSON} {
		t.Run(string(encoding), func(t *testing.T) {
			t.Parallel()
			server := sinktest.NewServer(t, sinktest.ServerOptions{})
			rapid.Check(t, func(rt *rapid.T) {
				const maxEvents = 7
				maxBytes := rapid.IntRange(150, 2000).Draw(rt, "max bytes")
				s, err := httpsink.New(httpsink.Options{
					URL: server.Destination().URL, Encoding: encoding, Compression: httpsend.None, MaxEvents: maxEvents, MaxBytes: maxBytes,
				})
				if err != nil {
					rt.Fatal(err)
				}
				defer s.Close()
				events := make([]event.Event, rapid.IntRange(1, 20).Draw(rt, "events"))
				for i := range events {
					events[i] = sinktest.NewEvent(i)
					events[i].Subject = rapid.StringN(0, 100, 200).Draw(rt, "subject")
				}
				for _, b := range batch.Group(events, s.Limits()) {
					before := len(server.Requests())
					if _, err := s.Send(context.Background(), sink.Batch{Batch: b, Attempt: 1}); err != nil {
						rt.Fatal(err)
					}
					body := server.Requests()[before].Body
					if len(b.Events) > maxEvents || len(b.Events) > 1 && len(body) > maxBytes {
						rt.Fatalf("%d events in %d bytes, want at most %d in %d", len(b.Events), len(body), maxEvents, maxBytes)
					}
				}
			})
		})
	}
}

func TestSink_Limits_Defaults(t *testing.T) {
	t.Parallel()
	l := newSink(t, httpsink.Options{URL: "http://127.0.0.1:1"}).Limits()
	if l.MaxEvents != 500 || l.MaxBytes != 1<<20 {
		t.Errorf("Limits = %d events, %d bytes; want 500 and 1 MiB", l.MaxEvents, l.MaxBytes)
	}
}

func TestSink_Send_ConfiguredRule(t *testing.T) {
	t.Parallel()
	server := sinktest.NewServer(t, sinktest.ServerOptions{Script: sinktest.Script(t, "409, 404")})
	s := newSink(t, httpsink.Options{
		URL: server.Destination().URL, Rules: []httpsend.Rule{{From: 409}, {From: 404, Class: retry.Transient}},
	})
	b := sinktest.NewBatch(sinktest.NewEvent(0))
	if _, err := s.Send(t.Context(), b); err != nil {
		t.Errorf("409 by a rule: got %v, want a delivery", err)
	}
	_, err := s.Send(t.Context(), b)
	if o := sink.OutcomeOf(err, false); o.Class != retry.Transient || o.Status != 404 {
		t.Errorf("404 by a rule: got %+v, want transient", o)
	}
}

func TestNew_ReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := httpsink.New(httpsink.Options{Name: "warehouse", Encoding: "xml", Compression: "br", MaxEvents: -1, MaxBytes: -1, Timeout: -1})
	if err == nil {
		t.Fatal("New: got no error")
	}
	for _, want := range []string{`sink "warehouse"`, "url", "encoding", "compression", "max_events", "max_bytes", "timeout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("New: %q does not say %q", err, want)
		}
	}
}

// BenchmarkSink_Send sends 500 events of about 1 KB to a loopback server that reads and
// forgets.
func BenchmarkSink_Send(b *testing.B) {
	events := make([]event.Event, 500)
	for i := range events {
		events[i] = benchEvent(i)
	}
	one := sinktest.NewBatch(events...)
	for _, c := range []struct {
		name  string
		kind  httpsend.Compression
		level int
	}{{"none", httpsend.None, 0}, {"gzip 1", httpsend.Gzip, 1}, {"gzip 6", httpsend.Gzip, 6}, {"zstd", httpsend.Zstd, 0}} {
		b.Run(c.name, func(b *testing.B) {
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
			defer server.Close()
			s, err := httpsink.New(httpsink.Options{URL: server.URL, Compression: c.kind, CompressionLevel: c.level})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.SetBytes(int64(len(record.AppendLines(nil, events))))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Send(context.Background(), one); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
		})
	}
}

// benchEvent is an event of about 1 KB whose text repeats about as much as real ones do.
func benchEvent(i int) event.Event {
	words := [...]string{"signup", "checkout", "pricing", "dashboard", "export", "invite", "billing", "search"}
	e := sinktest.NewEvent(i)
	data := fmt.Appendf(nil, `{"event":%q,"properties":{`, words[i%len(words)])
	for j := range 14 {
		data = fmt.Appendf(data, `"property_%d":"%s %x \"%s\"",`, j, words[(i+j)%8], (i+1)*(j+3)*7919, words[(i*j)%8])
	}
	e.Data = fmt.Appendf(data, `"$lib":"web","$lib_version":"1.400.0","numbers":[%d,%d,%d],"geo":{"city":"Zürich","lat":47.%d}}}`, i, i*i, i*3, i)
	return e
}
