package httpsend

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func TestNew_RefusesBadOptions(t *testing.T) {
	t.Parallel()
	const url = "https://u:pass1234@example.com/in?key=abcdef"
	for _, c := range []struct {
		name    string
		options Options
		want    string
	}{
		{"no url", Options{}, "url: is required"},
		{"a url that cannot be parsed", Options{URL: "http://abcdef\x7f"}, "url: cannot be parsed"},
		{"a relative url", Options{URL: "/abcdef"}, "url: must start with http"},
		{"another scheme", Options{URL: "ftp://abcdef"}, "url: must start with http"},
		{"no host", Options{URL: "http:///abcdef"}, "url: has no host"},
		{"an unknown compression", Options{URL: url, Compression: "br"}, `compression: "br"`},
		{"a gzip level out of range", Options{URL: url, Compression: Gzip, CompressionLevel: 10}, "compression_level: 10"},
		{"a level for zstd", Options{URL: url, Compression: Zstd, CompressionLevel: 3}, "compression_level: only gzip"},
		{"a level for nothing", Options{URL: url, CompressionLevel: 3}, "compression_level: only gzip"},
		{"a header name with a space", Options{URL: url, Headers: map[string]string{"X Y": "abcdef"}}, `headers: "X Y"`},
		{"an empty header name", Options{URL: url, Headers: map[string]string{"": "abcdef"}}, `headers: ""`},
		{"a header value with a line break", Options{URL: url, Headers: map[string]string{"X": "abcdef\r\nY: z"}}, "headers.X: the value"},
		{"a header of the sender", Options{URL: url, Headers: map[string]string{"content-length": "1"}}, "headers.content-length: is set by the sender"},
		{"the key as a header", Options{URL: url, Headers: map[string]string{"Idempotency-Key": "1"}}, "headers.Idempotency-Key: is set by the sender"},
		{"a negative timeout", Options{URL: url, Timeout: -time.Second}, "timeout: -1s"},
		{"an unknown use of the reply", Options{URL: url, Reply: 9}, "reply: unknown use 9"},
		{"a backwards range", Options{URL: url, Rules: []Rule{{From: 200}, {From: 500, To: 400}}}, "rules[1]: code: 500-400 is backwards"},
		{"a code out of range", Options{URL: url, Rules: []Rule{{From: 1000}}}, "rules[0]: code: 1000-0 is outside"},
		{"header text without a name", Options{URL: url, Rules: []Rule{{HeaderContains: "x"}}}, "rules[0]: header: a text"},
		{"an unknown class", Options{URL: url, Rules: []Rule{{Class: "odd"}}}, `rules[0]: class: "odd"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("New: got %v, want an error with %q", err, c.want)
			}
			for _, secret := range []string{"abcdef", "pass1234"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("New: the error shows the secret %q: %v", secret, err)
				}
			}
		})
	}
}

func TestNew_ReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Compression: "br", Timeout: -1, Rules: []Rule{{Class: "odd"}, {Class: retry.Setup}}})
	if err == nil {
		t.Fatal("New: got no error")
	}
	for _, want := range []string{"url", "compression", "timeout", "rules[0]"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("New: %q does not say %q", err, want)
		}
	}
}
