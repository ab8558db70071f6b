package lambda

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newTestEnvironment is an environment whose process is the test itself.
func newTestEnvironment() *environment {
	return &environment{
		function: Function{Name: "f", Timeout: time.Minute},
		handoff:  make(chan *invocation), ready: make(chan struct{}), stopping: make(chan struct{}), exited: make(chan struct{}),
		extensions: map[string]*extension{},
	}
}

func request(e *environment, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	e.serveRuntimeAPI(recorder, r)
	return recorder
}

// handOver gives an invocation to the process, which asks for it.
func handOver(t *testing.T, e *environment, inv *invocation) *httptest.ResponseRecorder {
	t.Helper()
	inv.deadline = time.UnixMilli(1_700_000_000_123)
	go func() { e.handoff <- inv }()
	return request(e, http.MethodGet, runtimePrefix+"invocation/next", "")
}

func TestRuntimeAPI_NextCarriesTheInvocation(t *testing.T) {
	t.Parallel()
	e := newTestEnvironment()
	inv := newInvocation("arn:f", []byte(`{"a":1}`), InvokeOptions{TraceID: "Root=1-2-3", ClientContext: "e30="})
	got := handOver(t, e, inv)
	want := http.Header{
		"Content-Type": {"application/json"}, "Content-Length": {"7"},
		"Lambda-Runtime-Aws-Request-Id": {inv.id}, "Lambda-Runtime-Deadline-Ms": {"1700000000123"},
		"Lambda-Runtime-Invoked-Function-Arn": {"arn:f"}, "Lambda-Runtime-Trace-Id": {"Root=1-2-3"}, "Lambda-Runtime-Client-Context": {"e30="},
	}
	if diff := cmp.Diff(want, got.Header()); diff != "" || got.Code != 200 || got.Body.String() != `{"a":1}` {
		t.Errorf("got %d %s, headers (-want +got):\n%s", got.Code, got.Body, diff)
	}
}

func TestRuntimeAPI_Answers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, verb, body string
		status           int
		answer           *outcome
	}{
		{"a response", "response", `{"ok":true}`, 202, &outcome{payload: []byte(`{"ok":true}`)}},
		{"an error", "error", `{"errorMessage":"no"}`, 202, &outcome{payload: []byte(`{"errorMessage":"no"}`), failed: true}},
		{"a response over 6 MB", "response", strings.Repeat("x", MaxPayloadBytes+1), 413, new(responseTooLarge())},
		{"an error over 6 MB", "error", strings.Repeat("x", MaxPayloadBytes+1), 413, new(responseTooLarge())},
		{"another verb", "shrug", "", 404, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := newTestEnvironment()
			inv := newInvocation("arn:f", nil, InvokeOptions{})
			handOver(t, e, inv)
			got := request(e, http.MethodPost, runtimePrefix+"invocation/"+inv.id+"/"+test.verb, test.body)
			if got.Code != test.status {
				t.Errorf("status %d %s, want %d", got.Code, got.Body, test.status)
			}
			if diff := cmp.Diff(test.answer, inv.answer, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRuntimeAPI_RefusesWhatIsOutOfTurn(t *testing.T) {
	t.Parallel()
	e := newTestEnvironment()
	inv := newInvocation("arn:f", nil, InvokeOptions{})
	post := func(id string) int {
		return request(e, http.MethodPost, runtimePrefix+"invocation/"+id+"/response", "{}").Code
	}
	if got := post(inv.id); got != 400 {
		t.Errorf("a response before its invocation: %d, want 400", got)
	}
	handOver(t, e, inv)
	if got := request(e, http.MethodGet, runtimePrefix+"invocation/next", "").Code; got != 403 {
		t.Errorf("next before the response: %d, want 403", got)
	}
	if got := post("someone-else"); got != 400 {
		t.Errorf("a response to another invocation: %d, want 400", got)
	}
	if got := post(inv.id); got != 202 {
		t.Errorf("the response: %d, want 202", got)
	}
	if got := post(inv.id); got != 400 {
		t.Errorf("the response again: %d, want 400", got)
	}
	for path, want := range map[string]int{"/": 404, runtimePrefix + "nothing": 405, extensionPrefix + "nothing": 404} {
		if got := request(e, http.MethodPost, path, "").Code; got != want {
			t.Errorf("POST %s: %d, want %d", path, got, want)
		}
	}
}

func TestRuntimeAPI_BrokenBodyLeavesTheInvocationOpen(t *testing.T) {
	t.Parallel()
	e := newTestEnvironment()
	inv := newInvocation("arn:f", nil, InvokeOptions{})
	handOver(t, e, inv)
	for _, path := range []string{"invocation/" + inv.id + "/response", "invocation/" + inv.id + "/error", "init/error"} {
		recorder := httptest.NewRecorder()
		e.serveRuntimeAPI(recorder, httptest.NewRequest(http.MethodPost, runtimePrefix+path, io.MultiReader(strings.NewReader("{"), broken{})))
		if recorder.Code != 400 || inv.answer != nil || e.initError != nil {
			t.Errorf("%s: %d, answer %v; want 400 and none", path, recorder.Code, inv.answer)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRuntimeAPI_TrailerWithoutBodyStillFails(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"half`))
	r.Trailer = http.Header{"Lambda-Runtime-Function-Error-Type": {"Stream.Broke"}}
	got, err := newTestEnvironment().readResponse(r)
	if err != nil || !got.failed || !strings.Contains(string(got.payload), "Stream.Broke") {
		t.Errorf("got %s failed %v, %v", got.payload, got.failed, err)
	}
}

func TestExtensions_RegisterAndShutdown(t *testing.T) {
	t.Parallel()
	e := newTestEnvironment()
	registered := request(e, http.MethodPost, extensionPrefix+"register", `{"events":["SHUTDOWN"]}`, "Lambda-Extension-Name", "x")
	id := registered.Header().Get("Lambda-Extension-Identifier")
	if registered.Code != 200 || id == "" || !e.hasExtensions() || registered.Body.String() != `{"functionName":"f","functionVersion":"$LATEST","handler":"bootstrap"}` {
		t.Fatalf("register: %d %q %s", registered.Code, id, registered.Body)
	}
	if got := request(e, http.MethodGet, extensionPrefix+"event/next", "", "Lambda-Extension-Identifier", "stranger").Code; got != 403 {
		t.Errorf("a stranger's next: %d, want 403", got)
	}
	e.beginStopping()
	next := request(e, http.MethodGet, extensionPrefix+"event/next", "", "Lambda-Extension-Identifier", id)
	if next.Body.String() != `{"eventType":"SHUTDOWN","shutdownReason":"spindown"}` {
		t.Errorf("next: %s", next.Body)
	}
}

func TestExtensions_RegisterRefuses(t *testing.T) {
	t.Parallel()
	e := newTestEnvironment()
	register := func(name, body string) int {
		return request(e, http.MethodPost, extensionPrefix+"register", body, "Lambda-Extension-Name", name).Code
	}
	for body, want := range map[string]int{`{"events":["INVOKE"]}`: 403, `{"events":`: 400} {
		if got := register("x", body); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
	if got := register("", `{}`); got != 400 {
		t.Errorf("no name: %d, want 400", got)
	}
	for range maxExtensions {
		register("x", `{"events":[]}`)
	}
	if got := register("x", `{"events":[]}`); got != 403 {
		t.Errorf("an eleventh: %d, want 403", got)
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add(`{"events":["SHUTDOWN","INVOKE"]}`)
	f.Add(`{"events":null,"x":[[]]}`)
	f.Fuzz(func(t *testing.T, body string) {
		events, err := readEvents(strings.NewReader(body))
		if err == nil && len(events) > 0 && !strings.Contains(body, "events") && !strings.Contains(body, "\\u") {
			t.Errorf("%q: %v, %v", body, events, err)
		}
	})
}

func TestSplitName_AllForms(t *testing.T) {
	t.Parallel()
	for given, want := range map[string][2]string{
		"f": {"f", ""}, "f:$LATEST": {"f", "$LATEST"}, "000000000000:function:f": {"f", ""}, "function:f:2": {"f", "2"},
		"arn:aws:lambda:us-east-1:000000000000:function:f":         {"f", ""},
		"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST": {"f", "$LATEST"},
	} {
		if name, qualifier := splitName(given); [2]string{name, qualifier} != want {
			t.Errorf("splitName(%q) = %q, %q; want %q", given, name, qualifier, want)
		}
	}
}

func TestDeliverEvent_RetriesAsAWSDoes(t *testing.T) {
	t.Parallel()
	failed := Result{FunctionError: Unhandled}
	busy := throttled("")
	tests := []struct {
		name    string
		results []Result
		errs    []error
		at      []time.Duration
	}{
		{"a success is not repeated", []Result{{}}, nil, []time.Duration{0}},
		{"a function error is tried twice more", []Result{failed, failed, failed, {}}, nil, []time.Duration{0, time.Minute, 3 * time.Minute}},
		{"throttling does not count", []Result{{}, {}, failed, {}}, []error{busy, busy}, []time.Duration{0, time.Second, 3 * time.Second, 63 * time.Second}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var at []time.Duration
				deliverEvent(t.Context(), slog.New(slog.DiscardHandler), func() (Result, error) {
					at = append(at, time.Since(begin))
					if n := len(at) - 1; n < len(test.errs) {
						return Result{}, test.errs[n]
					}
					return test.results[len(at)-1], nil
				})
				if diff := cmp.Diff(test.at, at); diff != "" {
					t.Errorf("tries (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestDeliverEvent_ThrottledForeverEndsAfterSixHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		deliverEvent(t.Context(), slog.New(slog.DiscardHandler), func() (Result, error) { return Result{}, throttled("") })
		if took := time.Since(begin); took < MaxEventAge || took > MaxEventAge+5*time.Minute {
			t.Errorf("given up after %s, want 6 h", took)
		}
	})
}

func TestDeliverEvent_EndsWithItsHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		tries := 0
		deliverEvent(ctx, slog.New(slog.DiscardHandler), func() (Result, error) {
			tries++
			return Result{FunctionError: Unhandled}, nil
		})
		if tries != 2 {
			t.Errorf("%d tries, want 2", tries)
		}
	})
}
