package httpsend

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// received is one request as a server got it.
type received struct {
	method, path, host, proto string
	header                    http.Header
	body                      []byte
}

// serve starts a server that answers and hands over what it got.
func serve(t *testing.T, answer http.HandlerFunc) (*httptest.Server, <-chan received) {
	t.Helper()
	requests := make(chan received, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read body: %v", err)
		}
		requests <- received{r.Method, r.RequestURI, r.Host, r.Proto, r.Header, body}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, requests
}

func ok(http.ResponseWriter, *http.Request) {}

func TestSender_Send_Request(t *testing.T) {
	t.Parallel()
	server, requests := serve(t, ok)
	s := newSender(t, Options{
		URL: server.URL + "/in?x=1", ContentType: "text/plain",
		Headers: map[string]string{"authorization": "Bearer abc", "Host": "other.example", "X-Team": "a"},
	})
	reply, err := s.Send(t.Context(), Request{Append: text("hello"), Key: "k-1", Header: http.Header{"X-Team": {"b"}}})
	if err != nil || reply.Status != 200 {
		t.Fatalf("Send = %+v, %v", reply, err)
	}
	r := <-requests
	if r.method != "POST" || r.path != "/in?x=1" || r.host != "other.example" || string(r.body) != "hello" {
		t.Errorf("got %s %s of %s with %q", r.method, r.path, r.host, r.body)
	}
	want := http.Header{
		"Authorization": {"Bearer abc"}, "Content-Length": {"5"}, "Content-Type": {"text/plain"},
		"Idempotency-Key": {"k-1"}, "User-Agent": {"millrace"}, "X-Team": {"b"},
	}
	if diff := cmp.Diff(want, r.header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestSender_Send_Compresses(t *testing.T) {
	t.Parallel()
	body := strings.Repeat(`{"event":"signup"}`+"\n", 1000)
	for _, c := range []struct {
		name    string
		options Options
		decode  func(io.Reader) (io.Reader, error)
	}{
		{"gzip at its default level", Options{Compression: Gzip}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"gzip 9", Options{Compression: Gzip, CompressionLevel: 9}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"zstd", Options{Compression: Zstd}, func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) }},
		{"none", Options{Compression: None}, func(r io.Reader) (io.Reader, error) { return r, nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, requests := serve(t, ok)
			c.options.URL = server.URL
			s := newSender(t, c.options)
			var group sync.WaitGroup
			for i := range 10 { // pooled writers and buffers must not mix bodies
				group.Go(func() {
					if _, err := s.Send(context.Background(), Request{Append: text(fmt.Sprint(i%10) + body)}); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			seen := map[byte]bool{}
			for range 10 {
				r := <-requests
				reader, err := c.decode(bytes.NewReader(r.body))
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(reader)
				if err != nil || string(got[1:]) != body {
					t.Fatalf("decoded body has %d bytes, %v; want %d", len(got), err, len(body)+1)
				}
				seen[got[0]] = true
				if encoding := r.header.Get("Content-Encoding"); (encoding == "") != (c.options.Compression == None) {
					t.Errorf("Content-Encoding = %q for %s", encoding, c.options.Compression)
				}
			}
			if len(seen) != 10 {
				t.Errorf("%d different bodies arrived, want 10", len(seen))
			}
		})
	}
}

func TestSender_Send_EmptyBody(t *testing.T) {
	t.Parallel()
	server, requests := serve(t, ok)
	if _, err := newSender(t, Options{URL: server.URL}).Send(t.Context(), Request{Append: text("")}); err != nil {
		t.Fatal(err)
	}
	if r := <-requests; len(r.body) != 0 || r.header.Get("Content-Length") != "0" || r.header.Values("Idempotency-Key") != nil {
		t.Errorf("got body %q, headers %v; want none, length 0 and no key", r.body, r.header)
	}
}

func TestSender_Send_HTTP2(t *testing.T) {
	t.Parallel()
	requests := make(chan received, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- received{proto: r.Proto, header: r.Header, body: body}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	s := newSender(t, Options{URL: server.URL})
	transport, _ := s.client.Transport.(*http.Transport)
	trusted, _ := server.Client().Transport.(*http.Transport)
	transport.TLSClientConfig = trusted.TLSClientConfig.Clone()
	if _, err := s.Send(t.Context(), Request{Append: text("hello"), Key: "k-1"}); err != nil {
		t.Fatal(err)
	}
	if r := <-requests; r.proto != "HTTP/2.0" || r.header.Get("Idempotency-Key") != "k-1" || string(r.body) != "hello" {
		t.Errorf("got %+v, want HTTP/2.0 with the key and the body", r)
	}
}

func TestSender_Send_Failure(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, "slow down,\nplease")
	})
	reply, err := newSender(t, Options{URL: server.URL}).Send(t.Context(), Request{Append: text("x")})
	want := sink.Outcome{Verdict: sink.Retry, Class: retry.Throttled, After: 7 * time.Second, Status: 429, Cause: "slow down, please"}
	if diff := cmp.Diff(want, failureOf(t, err).Outcome); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	if reply.Status != 429 || string(reply.Body) != "slow down,\nplease" {
		t.Errorf("reply = %+v, want the destination's", reply)
	}
}

func TestSender_Send_RedirectNamesPlace(t *testing.T) {
	t.Parallel()
	server, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example/in?token=abcdef", http.StatusPermanentRedirect)
	})
	_, err := newSender(t, Options{URL: server.URL}).Send(t.Context(), Request{Append: text("x")})
	cause := failureOf(t, err).Outcome.Cause
	if !strings.Contains(cause, "https://elsewhere.example/in") || strings.Contains(cause, "abcdef") {
		t.Errorf("cause = %q, want the place without its token", cause)
	}
	if n := len(requests); n != 1 {
		t.Errorf("the server got %d requests, want 1", n)
	}
}

func TestSender_Send_Replies(t *testing.T) {
	t.Parallel()
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	for _, c := range []struct {
		name   string
		use    ReplyUse
		rules  []Rule
		answer http.HandlerFunc
		class  retry.Class
	}{
		{"a page is a delivery where nobody reads", IgnoreReply, nil, body("<html>"), ""},
		{"a page is a delivery where it is read", ReadReply, nil, body("<html>"), ""},
		{"a page is a matter of setup where JSON is required", RequireJSON, nil, body("<html>"), retry.Setup},
		{"JSON is JSON", RequireJSON, nil, body(" {\"ok\":true}\n"), ""},
		{"no body does not contradict the status", RequireJSON, nil, ok, ""},
		{"half a JSON text is none", RequireJSON, nil, body(`{"ok":`), retry.Setup},
		{"JSON over the bound is taken by its beginning", RequireJSON, nil, body(`["` + strings.Repeat("x", MaxReplyBytes) + `"]`), ""},
		{"a page over the bound is none", RequireJSON, nil, body("<html>" + strings.Repeat("x", MaxReplyBytes)), retry.Setup},
		{"a rule reads the body of a 2xx", IgnoreReply, []Rule{{From: 200, BodyContains: "failed", Class: retry.Transient}}, body("it failed"), retry.Transient},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, _ := serve(t, c.answer)
			s := newSender(t, Options{URL: server.URL, Reply: c.use, Rules: c.rules})
			reply, err := s.Send(t.Context(), Request{Append: text("x")})
			if c.class == "" {
				if err != nil {
					t.Errorf("Send: %v", err)
				}
				return
			}
			if o := failureOf(t, err).Outcome; o.Class != c.class || o.Status != 200 || o.Cause == "" {
				t.Errorf("got %+v, want class %q, status 200 and a cause", o, c.class)
			}
			if len(reply.Body) > MaxReplyBytes || (len(reply.Body) == MaxReplyBytes) != reply.Truncated {
				t.Errorf("body of %d bytes, truncated %v", len(reply.Body), reply.Truncated)
			}
		})
	}
}

func TestSender_Send_LogsUnreadableReply(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "half")
	})
	var log bytes.Buffer
	s := newSender(t, Options{
		URL: server.URL, Reply: ReadReply,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	reply, err := s.Send(t.Context(), Request{Append: text("x")})
	if err != nil || reply.ReadErr == nil || string(reply.Body) != "half" {
		t.Errorf("Send = %+v, %v; want a delivery with half a body", reply, err)
	}
	if !strings.Contains(log.String(), "level=DEBUG") || !strings.Contains(log.String(), "reply could not be read") {
		t.Errorf("log = %q, want a debug line", log.String())
	}
}

func TestSender_Close_Twice(t *testing.T) {
	t.Parallel()
	s := newSender(t, Options{URL: "http://127.0.0.1:1"})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}
