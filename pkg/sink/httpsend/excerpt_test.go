package httpsend

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func testScrubber() *scrubber {
	return newScrubber(&Options{
		URL: "https://user:pa55%2Fword@example.com/in?api_key=q9Zk2Lw7&short=abc",
		Headers: map[string]string{
			"Authorization": "Bearer s3cr3t/credential", "X-Env": "prod", "X-Quoted": `with "quotes"`, "Accept": "application/json",
		},
	})
}

func TestScrubber_excerpt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"plain text stays", "unknown field: colour", "unknown field: colour"},
		{"white space and control characters become one space", "\n a\r\n\tb\x00\x1b[31mc  ", "a b [31mc"},
		{"invalid UTF-8 becomes U+FFFD", "a\xffb", "a\uFFFDb"},
		{"a configured header's value", "got Bearer s3cr3t/credential", "got [secret]"},
		{"a credential without its scheme", "key s3cr3t/credential is unknown", "key [secret] is unknown"},
		{"a credential escaped for JSON", `"s3cr3t\/credential"`, `"[secret]"`},
		{"a credential escaped for a URL", "?x=s3cr3t%2Fcredential", "?x=[secret]"},
		{"a value with quotes, escaped", `"with \"quotes\""`, `"[secret]"`},
		{"a short header value is no secret", "no such env: prod", "no such env: prod"},
		{"an Accept header is no secret", "cannot produce application/json", "cannot produce application/json"},
		{"a value of the URL's query", "bad key q9Zk2Lw7", "bad key [secret]"},
		{"the URL's password", "bad pa55/word", "bad [secret]"},
		{"the URL's user and password in base64", "Basic dXNlcjpwYTU1L3dvcmQ=", "Basic [secret]"},
		{"somebody else's bearer token", "authorization was Bearer abc.def-ghi", "authorization was Bearer [secret]"},
		{"key=value", "POST /in?api_key=abc123&x=1", "POST /in?api_key=[secret]&x=1"},
		{"a member of an object", `{"client_secret": "hunter2", "code": 7}`, `{"client_secret": "[secret]", "code": 7}`},
		{"an escaped member of an object", `{\"password\":\"hunter2\"}`, `{\"password\":\"[secret]\"}`},
		{"a JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "[secret]"},
		{"an AWS key id", "AKIAIOSFODNN7EXAMPLE is disabled", "[secret] is disabled"},
		{"a project key", "unknown project phc_abcdefgh123", "unknown project [secret]"},
		{"an e-mail address", "user jane.doe+x@example.co.uk exists", "user [email] exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := testScrubber().excerpt([]byte(c.text)); got != c.want {
				t.Errorf("excerpt(%q)\n got %q\nwant %q", c.text, got, c.want)
			}
		})
	}
}

func TestScrubber_excerpt_IsCut(t *testing.T) {
	t.Parallel()
	got := testScrubber().excerpt([]byte(strings.Repeat("☃", 1000)))
	if len(got) > MaxExcerptBytes || len(got) < MaxExcerptBytes-8 || !strings.HasSuffix(got, "…") || !utf8.ValidString(got) {
		t.Errorf("excerpt has %d bytes, want just under %d, whole characters and an ellipsis: %q", len(got), MaxExcerptBytes, got)
	}
}

// TestSender_excerptOf_HalfSecret: the end of a body that was cut off may hold the
// beginning of a secret, which nothing recognizes any more.
func TestSender_excerptOf_HalfSecret(t *testing.T) {
	t.Parallel()
	s := newSender(t, Options{URL: "http://example.com", Headers: map[string]string{"X-Api-Key": "s3cr3t/credential"}})
	for _, reply := range []Reply{
		{Body: []byte("the key s3cr3t/creden"), Truncated: true},
		{Body: []byte("s3cr3t/c"), Truncated: true},
		{Body: []byte(strings.Repeat("\n", maxErrorBytes-6) + "s3cr3t/credential")},
	} {
		if got := s.excerptOf(&reply); strings.Contains(got, "s3cr3t") {
			t.Errorf("excerptOf(%q) = %q shows half a secret", reply.Body, got)
		}
	}
}

// FuzzExcerpt: any text becomes one short printable line without the known secrets.
func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("got Bearer s3cr3t/credential, q9Zk2Lw7"))
	f.Add([]byte("\x00\xff\n{\"password\":\"x\"}"))
	f.Add([]byte(strings.Repeat("\u2028☃", 400)))
	s := testScrubber()
	f.Fuzz(func(t *testing.T, data []byte) {
		got := s.excerpt(data)
		if len(got) > MaxExcerptBytes || !utf8.ValidString(got) {
			t.Errorf("excerpt has %d bytes or invalid UTF-8: %q", len(got), got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("excerpt is not printable at %d: %q", i, got)
		}
		for _, secret := range []string{"s3cr3t/credential", "q9Zk2Lw7", "pa55/word"} {
			if strings.Contains(got, secret) {
				t.Errorf("excerpt shows %q: %q", secret, got)
			}
		}
	})
}
