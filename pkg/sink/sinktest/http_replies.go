package sinktest

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

func statusCodes(t *testing.T, h HTTP) {
	for _, status := range []int{
		200, 201, 202, 204, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 407, 408, 409, 410, 413, 415, 422, 425, 429,
		500, 501, 502, 503, 504, 507, 599,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			step := Step{Status: status}
			if status >= 300 && status <= 399 {
				step.Header = http.Header{"Location": {"/elsewhere"}}
			}
			server, s := h.start(t, Loopback, step)
			for _, size := range []int{1, 3} {
				if size == 3 {
					server.Then(step)
				}
				o := h.send(t, s, h.batch(0, size))
				want(t, fmt.Sprintf("%d for %d events", status, size), o, h.classFor(status))
				if o.Verdict != sink.Delivered && o.Status != status {
					t.Errorf("Outcome.Status = %d, want %d", o.Status, status)
				}
			}
			if n := len(server.Requests()); n != 2 {
				t.Errorf("the destination got %d requests for 2 attempts", n)
			}
		})
	}
}

func retryAfter(t *testing.T, h HTTP) {
	for _, c := range []struct {
		header   string
		min, max time.Duration
	}{
		{"2", 2 * time.Second, 2 * time.Second},
		{"0", 0, 0},
		{"DATE", 29 * time.Second, 30 * time.Second}, // whole seconds: up to one is lost
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0, 0},
		{"99999999999", 24 * time.Hour, math.MaxInt64},
		{"-1", 0, 0},
		{"soon", 0, 0},
		{"", 0, 0},
	} {
		t.Run("header "+c.header, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				header := c.header
				if header == "DATE" {
					header = time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat)
				}
				for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
					_, s := h.start(t, Memory, Step{Status: status, Header: http.Header{"Retry-After": {header}}})
					o := h.send(t, s, h.batch(0, 2))
					if o.Verdict != sink.Retry || o.After < c.min || o.After > c.max {
						t.Errorf("%d: got %s after %v, want retry after %v to %v", status, o.Verdict, o.After, c.min, c.max)
					}
				}
			})
		})
	}
}

// maxReadBytes is more than any sink needs of a reply. What the socket's buffers take in
// without the sink is a few megabytes.
const maxReadBytes = 64 << 20

func brokenReplies(t *testing.T, h HTTP) {
	notJSON := retry.Class("")
	if h.JSONReplies {
		notJSON = retry.Setup
	}
	cases := []struct {
		name    string
		step    Step
		classes []retry.Class // any of them
	}{
		{"a reset before the reply", Step{Fault: Reset}, []retry.Class{retry.Transient}},
		{"a reset in the headers", Step{Fault: ResetInHeaders}, []retry.Class{retry.Transient}},
		// The status has come: an unreadable body does not take a delivery back.
		{"a reset in the body of a 200", Step{Fault: ResetInBody}, []retry.Class{""}},
		{"a reset in the body of a 503", Step{Status: 503, Fault: ResetInBody}, []retry.Class{retry.Transient, retry.Throttled}},
		{"a never-ending 200", Step{Fault: Endless}, []retry.Class{""}},
		{"a never-ending 503", Step{Status: 503, Fault: Endless}, []retry.Class{retry.Transient, retry.Throttled}},
		{"a 1 GiB 200", Step{Fault: Huge}, []retry.Class{""}},
		{"a 1 GiB 400", Step{Status: 400, Fault: Huge}, []retry.Class{h.classFor(400)}},
		{"an HTML page", HTMLPage(), []retry.Class{notJSON}},
		{"a long error page", Step{Status: 500, Body: strings.Repeat("<p>sorry\x00\xff\n", 100_000)}, []retry.Class{h.classFor(500)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, s := h.start(t, Loopback, c.step)
			o := h.send(t, s, h.batch(0, 3))
			class := o.Class
			if o.Verdict == sink.Delivered {
				class = ""
			}
			if !slices.Contains(c.classes, class) {
				t.Errorf("got %s (%s: %s), want class %q", o.Verdict, o.Class, o.Cause, c.classes)
			}
			if sent := server.BytesSent(); sent > maxReadBytes {
				t.Errorf("the sink read a reply of over %d bytes, want a bound", sent)
			}
			want(t, "the next attempt", h.send(t, s, h.batch(3, 3)), "")
		})
	}
}
