package sinktest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseScript(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []Step
	}{
		{"200", []Step{{Status: 200}}},
		{" 503 x3 , Retry-After: 2,reset, 200", []Step{
			{Status: 503, Times: 3, Header: http.Header{"Retry-After": {"2"}}}, {Fault: Reset}, {Status: 200},
		}},
		{"500 endless, hang x2", []Step{{Status: 500, Fault: Endless}, {Fault: Hang, Times: 2}}},
		{"429, Retry-After: 1, X-A: b: c, delay 2s", []Step{
			{Status: 429, Delay: 2 * time.Second, Header: http.Header{"Retry-After": {"1"}, "X-A": {"b: c"}}},
		}},
		{"html", []Step{HTMLPage()}},
		{"redirect", []Step{{Status: 302, Header: http.Header{"Location": {"http://127.0.0.1:1/elsewhere"}}}}},
		{"reset-headers, reset-body, slow-headers, slow-body, huge", []Step{
			{Fault: ResetInHeaders}, {Fault: ResetInBody}, {Fault: SlowHeaders}, {Fault: SlowBody}, {Fault: Huge},
		}},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			got, err := ParseScript(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseScript_Refuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"an empty word", "200,,200", "is empty"},
		{"no words", "", "is empty"},
		{"a header before any step", "Retry-After: 2, 200", "no step before"},
		{"a delay before any step", "delay 2s", "no step before"},
		{"an unknown word", "explode", `"explode" is no status`},
		{"a status out of range", "100", `"100" is no status`},
		{"no repetition", "200 x0", `"x0" is no status`},
		{"a delay that is none", "200, delay soon", "not a duration"},
		{"a negative delay", "200, delay -1s", "not a duration"},
		{"a script without end", strings.Repeat("200,", maxScriptBytes), "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := ParseScript(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("ParseScript: got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// FuzzParseScript: what is accepted has steps that a Server can do.
func FuzzParseScript(f *testing.F) {
	f.Add("503 x3, Retry-After: 2, reset, 200")
	f.Add("500 endless, html x2, delay 1h, redirect")
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := ParseScript(text)
		if err != nil {
			return
		}
		if len(steps) == 0 || len(steps) > strings.Count(text, ",")+1 {
			t.Errorf("%d steps from %q", len(steps), text)
		}
		for _, s := range steps {
			if s.status() < 200 || s.status() > 999 || s.Delay < 0 || s.Times < 0 || s.Times > maxTimes {
				t.Errorf("%q gives the step %+v", text, s)
			}
		}
	})
}
