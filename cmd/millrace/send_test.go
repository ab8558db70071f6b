package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// received is one request that an API got.
type received struct {
	path, authorization, contentType, body string
}

// api answers requests by a script: one answer after the other, the last one for ever.
type api struct {
	*httptest.Server
	mu       sync.Mutex
	requests []received
}

type scripted struct {
	status     int
	retryAfter string
	body       string
}

func newAPI(t *testing.T, script ...scripted) *api {
	t.Helper()
	a := &api{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		answer := script[min(len(a.requests), len(script)-1)]
		a.requests = append(a.requests, received{r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)})
		a.mu.Unlock()
		if answer.retryAfter != "" {
			w.Header().Set("Retry-After", answer.retryAfter)
		}
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *api) got() []received {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

func TestSend_Generic(t *testing.T) {
	t.Parallel()
	target := newAPI(t, scripted{status: 200, body: `{"accepted":2,"refused":[]}`})
	var report sendReport
	got := execute(t.Context(), "", "send", "--url", target.URL+"/", "--key", "k1", "--count", "4", "--batch", "2", "--json")
	got.decode(t, &report)
	if got.code != exitDone || report.Sent != 4 || report.Accepted != 4 || report.Refused != 0 || report.Requests != 2 {
		t.Errorf("exit code %d, report %+v, want 0 and 4 accepted in 2 requests", got.code, report)
	}
	ids := map[string]bool{}
	for _, request := range target.got() {
		if request.path != "/v1/ingest" || request.authorization != "Bearer k1" || request.contentType != "application/x-ndjson" {
			t.Errorf("request = %+v, want NDJSON to /v1/ingest with the key", request)
		}
		for line := range strings.Lines(request.body) {
			var event struct{ ID string }
			if err := json.Unmarshal([]byte(line), &event); err != nil {
				t.Errorf("line %q: %v", line, err)
			}
			ids[event.ID] = true
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d ids were sent, want 4", len(ids))
	}
}

func TestSend_PostHog(t *testing.T) {
	t.Parallel()
	target := newAPI(t, scripted{status: 200, body: `{"status":1}`})
	execute(t.Context(), "", "send", "--url", target.URL, "--protocol", "posthog", "--count", "3").want(t, exitDone, "3 sent, 3 accepted, 0 refused", "")
	request := target.got()[0]
	var body struct {
		APIKey string `json:"api_key"`
		Batch  []struct{ UUID string }
	}
	if err := json.Unmarshal([]byte(request.body), &body); err != nil {
		t.Fatalf("body %q: %v", request.body, err)
	}
	if request.path != "/batch/" || body.APIKey != demoKey || len(body.Batch) != 3 || body.Batch[0].UUID == "" {
		t.Errorf("request to %s with %+v, want a PostHog batch of 3 with the key", request.path, body)
	}
}

func TestSend_TellsWhatWasRefused(t *testing.T) {
	t.Parallel()
	answers := map[string]scripted{
		"some": {status: 200, body: `{"accepted":1,"refused":[{"position":1,"cause":"no object"}]}`},
		"all":  {status: 400, body: `{"accepted":0,"refused":[{"position":1,"cause":"no object"}]}`},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := newAPI(t, answer)
			execute(t.Context(), "{}\n[]", "send", "--url", target.URL, "--file", "-").
				want(t, exitFailed, "2 sent", "refused: event 1 of its request: no object")
		})
	}
}

func TestSend_WaitsAsTheServerAsks(t *testing.T) {
	t.Parallel()
	target := newAPI(t, scripted{status: 503, retryAfter: "0", body: "queue away"}, scripted{status: 200, body: `{"accepted":1,"refused":[]}`})
	execute(t.Context(), "", "send", "--url", target.URL, "--count", "1").
		want(t, exitDone, "1 sent, 1 accepted", "the API answered 503: queue away; next try in")
	if got := target.got(); len(got) != 2 || got[0].body != got[1].body {
		t.Errorf("%d requests, want the same one twice", len(got))
	}
}

func TestSend_DoesNotRepeatWhatCannotSucceed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer scripted
		err    string
	}{
		{"an unknown key", scripted{status: 401, body: `{"error":{"code":"unauthorized"}}`}, "the API answered 401"},
		{"something that is not Millrace", scripted{status: 200, body: "<html>"}, "the API answered 200 with"},
		{"JSON that is not Millrace's", scripted{status: 200, body: "{}"}, "does not say what was accepted"},
		{"a wait beyond patience", scripted{status: 503, retryAfter: "3600", body: "maintenance"}, "the API answered 503"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			target := newAPI(t, test.answer)
			execute(t.Context(), "", "send", "--url", target.URL).want(t, exitFailed, "0 sent", test.err)
			if got := len(target.got()); got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
		})
	}
}

func TestSend_File(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(path, []byte("[ {\"a\": 1},\n{\"a\":2},{\"a\":3}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := newAPI(t, scripted{status: 200, body: `{"accepted":2,"refused":[]}`})
	execute(t.Context(), "", "send", "--url", target.URL, "--file", path, "--count", "2").want(t, exitDone, "2 sent, 2 accepted", "")
	if got, want := target.got()[0].body, "{\"a\":1}\n{\"a\":2}\n"; got != want {
		t.Errorf("body = %q, want %q", got, want)
	}
	execute(t.Context(), "", "send", "--file", path+".gone").want(t, exitUsage, "", path+".gone")
}

func TestSend_StopsAtBrokenInput(t *testing.T) {
	t.Parallel()
	target := newAPI(t, scripted{status: 200, body: `{"accepted":1,"refused":[]}`})
	execute(t.Context(), "{\"a\":1}\n{\"a\":", "send", "--url", target.URL, "--file", "-").
		want(t, exitFailed, "1 sent, 1 accepted", "event 2 of the input")
}

func TestSend_Flags(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--batch=0", "--count=-1", "--rate=-1", "--protocol=smtp"} {
		execute(t.Context(), "", "send", flag).want(t, exitUsage, "", strings.TrimLeft(strings.Split(flag, "=")[0], "-"))
	}
}

func TestReadEvents(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, input string
		want        []string
		broken      bool
	}{
		{"nothing", "", nil, false},
		{"an empty array", " [ ] ", nil, false},
		{"lines, some empty", "{}\n\n{\"a\":1}\n", []string{"{}", `{"a":1}`}, false},
		{"objects over several lines", "{\n\"a\":1}\n{}", []string{`{"a":1}`, "{}"}, false},
		{"what the API refuses passes", "{\"a\":1,\"a\":2}\n7", []string{`{"a":1,"a":2}`, "7"}, false},
		{"an array that is cut short", "[{},", []string{"{}"}, true},
		{"an array without an end", "[{}", []string{"{}"}, true},
		{"no JSON", "hello", nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			var failure error
			for event, err := range readEvents(strings.NewReader(test.input)) {
				if err != nil {
					failure = errors.Join(failure, err)
					continue
				}
				got = append(got, string(event))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || (failure != nil) != test.broken {
				t.Errorf("error %v, want one: %v; events (-want +got):\n%s", failure, test.broken, diff)
			}
		})
	}
}

func TestBatches_KeepOrderAndSize(t *testing.T) {
	t.Parallel()
	var sizes []int
	for batch, err := range batches(readEvents(strings.NewReader("1 2 3 4 5 6 7")), 3) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(batch))
	}
	if diff := cmp.Diff([]int{3, 3, 1}, sizes); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}
