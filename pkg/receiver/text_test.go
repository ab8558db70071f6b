package receiver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{`"plain"`, "plain", true}, {`""`, "", true}, {`"a\n\u00e9\ud83d\ude00"`, "a\né😀", true},
		{`12`, "", false}, {`null`, "", false}, {`{}`, "", false}, {``, "", false},
	} {
		if got, ok := receiver.Text(jsontext.Value(tt.in)); got != tt.want || ok != tt.ok {
			t.Errorf("Text(%s) = %q, %v, want %q, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestTraceID(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, tt := range []struct{ name, in, want string }{
		{"a traceparent", "00-" + id + "-00f067aa0ba902b7-01", id},
		{"a later version with more after it", "01-" + id + "-00f067aa0ba902b7-01-what", id},
		{"an id alone", id, id},
		{"an id in capitals", strings.ToUpper(id), id},
		{"the forbidden version", "ff-" + id + "-00f067aa0ba902b7-01", ""},
		{"all zeros", strings.Repeat("0", 32), ""},
		{"a short one", id[:31], ""},
		{"not hex", strings.Repeat("g", 32), ""},
		{"a bad parent id", "00-" + id + "-00f067aa0ba902bx-01", ""},
		{"nothing", "", ""},
	} {
		if got := receiver.TraceID(tt.in); got != tt.want {
			t.Errorf("%s: TraceID(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 10, 0, 0, 120_000_000, time.UTC)
	for _, in := range []string{"2026-03-01T10:00:00.120Z", "2026-03-01T12:00:00.12+02:00", "2026-03-01T10:00:00.12", "2026-03-01 10:00:00.12+00:00", "2026-03-01 10:00:00.12"} {
		if got := receiver.Time(in); !got.Equal(at) || got.Location() != time.UTC {
			t.Errorf("Time(%q) = %v, want %v", in, got, at)
		}
	}
	for _, in := range []string{"", "yesterday", "1772359200", "2026-13-01T10:00:00Z"} {
		if got := receiver.Time(in); !got.IsZero() {
			t.Errorf("Time(%q) = %v, want the zero time", in, got)
		}
	}
}

func TestWriteError_SaysWhenToRetry(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	receiver.WriteError(w, receiver.Unavailable(1500*time.Millisecond, "queue %q is away", "q"))
	want := `{"error":{"code":"unavailable","message":"queue \"q\" is away"}}`
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != want || w.Header().Get("Retry-After") != "2" {
		t.Errorf("reply = %d %s, Retry-After %q, want 503 %s, 2", w.Code, w.Body, w.Header().Get("Retry-After"), want)
	}
	if got := receiver.Forbidden("no").Error(); got != "403 forbidden: no" {
		t.Errorf("Error() = %q", got)
	}
}
