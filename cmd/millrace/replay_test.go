package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/replay"
)

// lambdaAPI answers invocations by a script and keeps the payloads.
type lambdaAPI struct {
	*httptest.Server
	// during, when set, is called in every invocation.
	during   func()
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
		if a.during != nil {
			a.during()
		}
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

const firstReport = `{"scanned":4,"replayed":3,"events":7,"counts":[{"sink":"http","class":"transient","kind":"event","letters":3,"events":7}],"left":{"no match":1},"more":true,"run":"r1","started":"2026-03-01T10:00:00Z"}`

const dryReport = `{"dry_run":true,"scanned":1,"replayed":1,"events":2,"bytes":2048,"counts":[]}`

const lastReport = `{"run":"r1","started":"2026-03-01T10:00:00Z","scanned":1,"replayed":1,"events":2,"counts":[{"sink":"http","class":"transient","kind":"event","letters":1,"events":2}]}`

func TestReplay_SendsTheWholeRequest(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "prod-replay", lambdaAnswer{status: 200, payload: dryReport})
	execute(t.Context(), "", "replay", "--aws", target.URL, "--function", "prod-replay", "--sink", "http", "--tenant", "acme", "--receiver", "posthog",
		"--kind", "event", "--class", "transient", "--status", "503", "--since", "2026-03-01T10:00:00Z", "--until", "2026-03-01T12:00:00+01:00",
		"--to", "front", "--limit", "7", "--dry-run", "--max-generation", "2", "--type", "payment.*", "--rate", "12.5", "--hide", "90s").
		want(t, exitDone, "would replay 1 of 1 letters, 2 events, 2.0 KiB", "")
	want := map[string]any{
		"sink": "http", "tenant": "acme", "receiver": "posthog", "kind": "event", "class": "transient", "status": 503.0,
		"since": "2026-03-01T10:00:00Z", "until": "2026-03-01T11:00:00Z", "to": "front", "limit": 7.0, "dry_run": true, "max_generation": 2.0,
		"type": "payment.*", "rate": 12.5, "hide_seconds": 90.0, "by": whoami(),
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
	result := execute(t.Context(), "", "replay", "--aws", target.URL, "--json")
	result.decode(t, &got)
	result.want(t, exitDone, "", "7 events, ")
	result.want(t, exitDone, "", "letters that stay may be hidden for up to 5m0s more")
	want := replay.Report{
		Scanned: 5, Replayed: 4, Events: 9, Left: map[string]int{"no match": 1},
		Counts: []replay.Count{{Sink: "http", Class: "transient", Kind: "event", Letters: 4, Events: 9}},
		Run:    "r1", Started: failedAt,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	payloads := target.got()
	if len(payloads) != 2 {
		t.Fatalf("payloads = %q, want two", payloads)
	}
	if first := payloads[0]; !strings.Contains(first, `"seconds":10`) || strings.Contains(first, `"run"`) {
		t.Errorf("the first step asks %s, want some seconds of a new run", first)
	}
	if want := strings.TrimSuffix(payloads[0], "}") + `,"run":"r1","started":"2026-03-01T10:00:00Z"}`; payloads[1] != want {
		t.Errorf("the second step asks %s, want %s", payloads[1], want)
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
	for flag, want := range map[string]string{
		"--limit=-1": "must not be negative", "--rate=-1": "must not be negative", "--rate=NaN": "must not be negative", "--hide=1ms": "at least a second",
	} {
		execute(t.Context(), "", "replay", flag).want(t, exitUsage, "", want)
	}
	execute(t.Context(), "", "replay", "--detach", "--dry-run").want(t, exitUsage, "", "does not wait")
}

// watchedReplay runs a replay as at a terminal, where a person answers.
func watchedReplay(ctx context.Context, answer string, args ...string) outcome {
	var out, err bytes.Buffer
	c := &console{
		in: strings.NewReader(answer), out: &out, err: &err, terminal: true, interactive: true,
		getenv: func(string) string { return "" },
	}
	code := run(ctx, append([]string{"replay"}, args...), c)
	return outcome{code: code, out: out.String(), err: err.String()}
}

func TestReplay_AsksAPerson(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, answer, flag string
		calls              int
		out, err           string
	}{
		{"yes", "y\n", "--yes=false", 2, "replayed 1 of 1", "Replay 1 letter? [y/N] "},
		{"YES", "Yes\n", "--yes=false", 2, "replayed 1 of 1", "would replay 1 of 1"},
		{"no", "n\n", "--yes=false", 1, "", "nothing was replayed"},
		{"a return", "\n", "--yes=false", 1, "", "nothing was replayed"},
		{"no answer", "", "--yes=false", 1, "", "nothing was replayed"},
		{"not asked", "", "--yes", 2, "replayed 1 of 1", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			target := newLambda(t, "millrace-replay", lambdaAnswer{status: 200, payload: dryReport}, lambdaAnswer{status: 200, payload: lastReport})
			got := watchedReplay(t.Context(), row.answer, "--aws", target.URL, row.flag)
			got.want(t, exitDone, row.out, row.err)
			payloads := target.got()
			if len(payloads) != row.calls || !strings.Contains(payloads[0], `"dry_run":true`) {
				t.Fatalf("payloads = %q, want %d, a dry run first", payloads, row.calls)
			}
			if row.calls == 1 && got.out != "" {
				t.Errorf("standard output = %q, want nothing: there is no result", got.out)
			}
		})
	}
}

func TestReplay_NothingToReplay_AsksNothing(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "millrace-replay", lambdaAnswer{status: 200, payload: `{"dry_run":true,"scanned":2,"counts":[]}`})
	got := watchedReplay(t.Context(), "", "--aws", target.URL)
	got.want(t, exitDone, "", "would replay 0 of 2 letters")
	if strings.Contains(got.err, "[y/N]") || len(target.got()) != 1 {
		t.Errorf("standard error = %q after %d calls, want no question", got.err, len(target.got()))
	}
}

// TestReplay_Interrupted: the step under way ends, nothing further begins, and what was done is told.
func TestReplay_Interrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	target := newLambda(t, "millrace-replay", lambdaAnswer{status: 200, payload: firstReport})
	target.during = cancel
	got := execute(ctx, "", "replay", "--aws", target.URL)
	got.want(t, exitDone, "replayed 3 of 4 letters, 7 events", "stopped; the same command goes on")
	got.want(t, exitDone, "there may be more", "")
	if n := len(target.got()); n != 1 {
		t.Errorf("%d invocations, want 1", n)
	}
}

func TestReplay_FailsInTheMiddle_TellsWhatWasDone(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "millrace-replay", lambdaAnswer{status: 200, payload: firstReport},
		lambdaAnswer{status: 200, failed: true, payload: `{"errorMessage":"queue away","errorType":"errorString"}`})
	execute(t.Context(), "", "replay", "--aws", target.URL).want(t, exitFailed, "replayed 3 of 4 letters", "queue away")
}

func TestReplay_Limit_IsForAllSteps(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "millrace-replay", lambdaAnswer{status: 200, payload: firstReport})
	execute(t.Context(), "", "replay", "--aws", target.URL, "--limit=5").want(t, exitDone, "replayed 6 of 8", "")
	payloads := target.got()
	if len(payloads) != 2 || !strings.Contains(payloads[1], `"limit":2`) {
		t.Errorf("payloads = %q, want two, the second with the rest of the limit", payloads)
	}
}

func TestReplay_Detach(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "millrace-replay", lambdaAnswer{status: 202})
	execute(t.Context(), "", "replay", "--aws", target.URL, "--detach", "--sink", "http").want(t, exitDone, "started; the log of millrace-replay tells how run ", "")
	var answer struct{ Run string }
	execute(t.Context(), "", "replay", "--aws", target.URL, "--detach", "--json").decode(t, &answer)
	payloads := target.got()
	if len(answer.Run) != 16 || !strings.Contains(payloads[1], answer.Run) || !strings.Contains(payloads[0], `"continue":true`) {
		t.Errorf("run %q, payloads %q", answer.Run, payloads)
	}
}

func TestReplay_PrintsTheEstimate(t *testing.T) {
	t.Parallel()
	target := newLambda(t, "millrace-replay", lambdaAnswer{
		status: 200, payload: `{"dry_run":true,"scanned":9,"replayed":9,"events":90,"bytes":5242880,"split":2,"counts":[],"estimate":{"seconds":90.4,"usd":0.0000128}}`,
	})
	got := execute(t.Context(), "", "replay", "--aws", target.URL, "--dry-run")
	for _, want := range []string{"90 events, 5.0 MiB", "2 letters cut in two", "takes about 1m30s and $0.000013 of SQS calls"} {
		got.want(t, exitDone, want, "")
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		done, expected int
		took           time.Duration
		want           string
	}{
		{0, 0, time.Second, "0 events, 0/s"},
		{500, 0, 2 * time.Second, "500 events, 250/s"},
		{0, 100, time.Second, "[........................]   0 %  0 of 100 events, 0/s"},
		{50, 200, 5 * time.Second, "[######..................]  25 %  50 of 200 events, 10/s, 15s left"},
		{200, 200, 20 * time.Second, "[########################] 100 %  200 of 200 events, 10/s"},
		{300, 200, 20 * time.Second, "[########################] 100 %  300 of 200 events, 15/s"},
	} {
		if got := bar(row.done, row.expected, row.took); got != row.want {
			t.Errorf("bar(%d, %d, %v) = %q, want %q", row.done, row.expected, row.took, got, row.want)
		}
	}
}
