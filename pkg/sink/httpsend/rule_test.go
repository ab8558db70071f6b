package httpsend

import (
	"net/http"
	"testing"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	after := http.Header{"Retry-After": {"2"}}
	for _, c := range []struct {
		name   string
		status int
		header http.Header
		want   retry.Class
	}{
		{"200 is delivered", 200, nil, ""},
		{"202 is delivered", 202, nil, ""},
		{"204 is delivered", 204, nil, ""},
		{"299 is delivered", 299, nil, ""},
		{"300 is a matter of setup", 300, nil, retry.Setup},
		{"301 is a matter of setup", 301, nil, retry.Setup},
		{"304 is a matter of setup", 304, nil, retry.Setup},
		{"308 is a matter of setup", 308, nil, retry.Setup},
		{"400 is permanent", 400, nil, retry.Permanent},
		{"401 is a matter of setup", 401, nil, retry.Setup},
		{"402 is permanent", 402, nil, retry.Permanent},
		{"403 is a matter of setup", 403, nil, retry.Setup},
		{"404 is permanent", 404, nil, retry.Permanent},
		{"407 is a matter of setup", 407, nil, retry.Setup},
		{"408 is transient", 408, nil, retry.Transient},
		{"409 is permanent", 409, nil, retry.Permanent},
		{"410 is permanent", 410, nil, retry.Permanent},
		{"413 is too large", 413, nil, retry.TooLarge},
		{"413 with Retry-After is too large all the same", 413, after, retry.TooLarge},
		{"415 is permanent", 415, nil, retry.Permanent},
		{"422 is permanent", 422, nil, retry.Permanent},
		{"425 is transient", 425, nil, retry.Transient},
		{"429 is throttled", 429, nil, retry.Throttled},
		{"499 is permanent", 499, nil, retry.Permanent},
		{"500 is transient", 500, nil, retry.Transient},
		{"501 is transient", 501, nil, retry.Transient},
		{"502 is transient", 502, nil, retry.Transient},
		{"503 is transient", 503, nil, retry.Transient},
		{"503 with Retry-After is throttled", 503, after, retry.Throttled},
		{"504 is transient", 504, nil, retry.Transient},
		{"599 is transient", 599, nil, retry.Transient},
		{"a code that nobody has defined is transient", 999, nil, retry.Transient},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := classOf(&Reply{Status: c.status, Header: c.header}, Defaults()); got != c.want {
				t.Errorf("class = %q, want %q", got, c.want)
			}
		})
	}
}

func TestClassOf_FirstMatchWins(t *testing.T) {
	t.Parallel()
	rules := []Rule{
		{From: 409},
		{From: 400, BodyContains: "too long", Class: retry.TooLarge},
		{From: 400, To: 499, Header: "X-Reason", HeaderContains: "QUOTA", Class: retry.Throttled},
		{From: 200, To: 299, BodyContains: `"ok":false`, Class: retry.Transient},
		{Header: "X-Maintenance", Class: retry.Setup},
		{From: 500, Class: retry.Permanent},
	}
	for _, c := range []struct {
		name  string
		reply Reply
		want  retry.Class
	}{
		{"a code can mean delivered", Reply{Status: 409}, ""},
		{"the body decides", Reply{Status: 400, Body: []byte("line too long")}, retry.TooLarge},
		{"another body goes to the defaults", Reply{Status: 400, Body: []byte("Too Long")}, retry.Permanent},
		{"a header decides, in any case", Reply{Status: 422, Header: http.Header{"X-Reason": {"a", "over quota"}}}, retry.Throttled},
		{"a header with another value goes to the defaults", Reply{Status: 422, Header: http.Header{"X-Reason": {"no"}}}, retry.Permanent},
		{"the earlier of two matches wins", Reply{Status: 400, Header: http.Header{"X-Reason": {"quota"}}, Body: []byte("too long")}, retry.TooLarge},
		{"a 2xx whose body says failure is one", Reply{Status: 200, Body: []byte(`{"ok":false}`)}, retry.Transient},
		{"a 2xx whose body says success is one", Reply{Status: 200, Body: []byte(`{"ok":true}`)}, ""},
		{"a rule without a code matches every code", Reply{Status: 204, Header: http.Header{"X-Maintenance": {""}}}, retry.Setup},
		{"a single code is not a range", Reply{Status: 501}, retry.Transient},
		{"a single code matches", Reply{Status: 500}, retry.Permanent},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := classOf(&c.reply, append(rules, Defaults()...)); got != c.want {
				t.Errorf("class = %q, want %q", got, c.want)
			}
		})
	}
}

func TestClassOf_NoRules(t *testing.T) {
	t.Parallel()
	if got := classOf(&Reply{Status: 200}, nil); got != retry.Transient {
		t.Errorf("class = %q, want %q: what no rule knows is tried again", got, retry.Transient)
	}
}
