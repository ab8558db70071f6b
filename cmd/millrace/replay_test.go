package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/replay"
)

// lambdaAPI answers invocations by a script and keeps the payloads.
type lambdaAPI struct {
	*httptest.Server
	mu       sync.Mutex
	payloads []string
}

type lambdaAnswer struct {
	status  int
	failed  bool
	payload string
}

func newLambda(t *testing.T, function string, script ...lambdaAnswer) *lambdaAPI {
	t.Helper()
	a := &lambdaAPI{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := "/2015-03-31/functions/" + function + "/invocations"; r.URL.Path != want {
			t.Errorf("path = %s, want %s", r.URL.Path, want)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		answer := script[min(len(a.payloads), len(script)-1)]
		a.payloads = append(a.payloads, string(body))
		a.mu.Unlock()
		if answer.failed {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
		}
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.payload)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *lambdaAPI) got() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.payloads
}

const firstReport = `{"scanned":4,"replayed":3,"events":7,"counts":[{"sink":"http","class":"transient","kind":"event","letters":3,"events":7}],"left":{"no match":1},"more":true}`

const dryReport = `{"dry_run":true,"scanned":1,"replayed":1,"events":2,"counts":[]}`

const lastReport = `{"scanned":1,"replayed":1,"events":2,"counts":[{"sink":"http","class":"transient","kind":"event","letters":1,"events":2}]}`

func TestReplay_SendsTheWholeRequest(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "prod-replay", lambdaAnswer{status: 200, payload: dryReport})
	execute(t.Context(), "", "replay", "--aws", target.URL, "--function", "prod-replay", "--sink", "http", "--tenant", "acme", "--receiver", "posthog",
		"--kind", "event", "--class", "transient", "--status", "503", "--since", "2026-03-01T10:00:00Z", "--until", "2026-03-01T12:00:00+01:00",
		"--to", "front", "--limit", "7", "--dry-run", "--max-generation", "2").want(t, exitDone, "would replay 1 of 1 letters, 2 events", "")
	want := map[string]any{
		"sink": "http", "tenant": "acme", "receiver": "posthog", "kind": "event", "class": "transient", "status": 503.0,
		"since": "2026-03-01T10:00:00Z", "until": "2026-03-01T11:00:00Z", "to": "front", "limit": 7.0, "dry_run": true, "max_generation": 2.0,
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(target.got()[0]), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestReplay_GoesOnToTheEnd(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "millrace-replay", lambdaAnswer{status: 200, payload: firstReport}, lambdaAnswer{status: 200, payload: lastReport})
	var got replay.Report
	execute(t.Context(), "", "replay", "--aws", target.URL, "--json").decode(t, &got)
	want := replay.Report{
		Scanned: 5, Replayed: 4, Events: 9, Left: map[string]int{"no match": 1},
		Counts: []replay.Count{{Sink: "http", Class: "transient", Kind: "event", Letters: 4, Events: 9}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	if payloads := target.got(); len(payloads) != 2 || payloads[0] != payloads[1] {
		t.Errorf("payloads = %q, want the same twice", payloads)
	}
}

func TestReplay_DoesNotGoOn(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--dry-run", "--limit=3"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			target := newLambda(t, "millrace-replay", lambdaAnswer{status: 200, payload: firstReport})
			execute(t.Context(), "", "replay", "--aws", target.URL, flag).want(t, exitDone, "there may be more", "")
			if got := len(target.got()); got != 1 {
				t.Errorf("%d invocations, want 1", got)
			}
		})
	}
}

func TestReplay_ForPeople(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "millrace-replay", lambdaAnswer{status: 200, payload: strings.Replace(firstReport, `,"more":true`, "", 1)})
	got := execute(t.Context(), "", "replay", "--aws", target.URL)
	for _, want := range []string{"replayed 3 of 4 letters, 7 events", "SINK  CLASS      KIND   LETTERS  EVENTS\nhttp  transient  event  3        7", "1 stay: no match"} {
		got.want(t, exitDone, want, "")
	}
}

func TestReplay_SaysWhatFailed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer lambdaAnswer
		err    string
	}{
		{"the function refuses", lambdaAnswer{200, true, `{"errorMessage":"to: no sink is named \"x\"","errorType":"errorString"}`}, `errorString: to: no sink is named "x"`},
		{"the function fails without a word", lambdaAnswer{200, true, `null`}, "Unhandled: null"},
		{"there is no such function", lambdaAnswer{404, false, `{"Type":"User","Message":"Function not found"}`}, "invoke millrace-replay"},
		{"the answer is no report", lambdaAnswer{200, false, `"hello"`}, "read the report"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			target := newLambda(t, "millrace-replay", test.answer)
			execute(t.Context(), "", "replay", "--aws", target.URL).want(t, exitFailed, "", test.err)
		})
	}
	execute(t.Context(), "", "replay", "--limit=-1").want(t, exitUsage, "", "must not be negative")
}
