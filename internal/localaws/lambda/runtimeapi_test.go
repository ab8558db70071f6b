package lambda

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	runtimePrefix   = "/2018-06-01/runtime/"
	extensionPrefix = "/2020-01-01/extension/"
)

// newTestEnvironment is an environment whose process is the test itself.
func newTestEnvironment(t *testing.T) *environment {
	t.Helper()
	log := newTestLog(t, io.Discard)
	_ = log.write.Close()
	t.Cleanup(log.close)
	return &environment{
		pool: &pool{host: &Host{}, function: Function{Name: "f", Timeout: time.Minute}},
		log:  log, handoff: make(chan *invocation), finished: make(chan struct{}, 1),
	}
}

func request(e *environment, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	e.runtimeAPI().ServeHTTP(recorder, r)
	return recorder
}

// handOver gives an invocation to the process, which asks for it.
func handOver(e *environment, inv *invocation) *httptest.ResponseRecorder {
	go func() { e.handoff <- inv }()
	return request(e, http.MethodGet, runtimePrefix+"invocation/next", "")
}

func TestRuntimeAPI_NextCarriesTheInvocation(t *testing.T) {
	t.Parallel()
	inv := &invocation{id: "ID", traceID: "Root=1-2-3", payload: []byte(`{"a":1}`)}
	environment := newTestEnvironment(t)
	begin := time.Now()
	got := handOver(environment, inv)
	deadline, err := strconv.ParseInt(got.Header().Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if at := time.UnixMilli(deadline); err != nil || at.Before(begin.Add(time.Minute-time.Millisecond)) || at.After(time.Now().Add(time.Minute)) {
		t.Errorf("deadline %s, %v; want a minute after the hand-over", at, err)
	}
	got.Header().Del("Lambda-Runtime-Deadline-Ms")
	want := http.Header{
		"Content-Type": {"application/json"}, "Content-Length": {"7"},
		"Lambda-Runtime-Aws-Request-Id": {inv.id}, "Lambda-Runtime-Invoked-Function-Arn": {"arn:aws:lambda:us-east-1:000000000000:function:f"}, "Lambda-Runtime-Trace-Id": {"Root=1-2-3"},
	}
	if diff := cmp.Diff(want, got.Header()); diff != "" || got.Code != 200 || got.Body.String() != `{"a":1}` {
		t.Errorf("got %d %s, headers (-want +got):\n%s", got.Code, got.Body, diff)
	}
}

func TestRuntimeAPI_Answers(t *testing.T) {
	t.Parallel()
	tooLarge := failure("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes).")
	tests := []struct {
		name, verb, body string
		status           int
		answer           *Result
	}{
		{"a response", "response", `{"ok":true}`, 202, &Result{Payload: []byte(`{"ok":true}`)}},
		{"an error", "error", `{"errorMessage":"no"}`, 202, &Result{Payload: []byte(`{"errorMessage":"no"}`), FunctionError: Unhandled}},
		{"a response over 6 MB", "response", strings.Repeat("x", MaxPayloadBytes+1), 413, &tooLarge},
		{"an error over 6 MB", "error", strings.Repeat("x", MaxPayloadBytes+1), 413, &tooLarge},
		{"another verb", "shrug", "", 404, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := newTestEnvironment(t)
			inv := &invocation{id: "ID"}
			handOver(e, inv)
			got := request(e, http.MethodPost, runtimePrefix+"invocation/"+inv.id+"/"+test.verb, test.body)
			if got.Code != test.status {
				t.Errorf("status %d %s, want %d", got.Code, got.Body, test.status)
			}
			if diff := cmp.Diff(test.answer, e.answer, cmp.AllowUnexported(Result{})); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRuntimeAPI_RefusesWhatIsOutOfTurn(t *testing.T) {
	t.Parallel()
	e := newTestEnvironment(t)
	inv := &invocation{id: "ID"}
	post := func(id string) int {
		return request(e, http.MethodPost, runtimePrefix+"invocation/"+id+"/response", "{}").Code
	}
	if got := post(inv.id); got != 400 {
		t.Errorf("a response before its invocation: %d, want 400", got)
	}
	handOver(e, inv)
	if got := request(e, http.MethodGet, runtimePrefix+"invocation/next", "").Code; got != 403 {
		t.Errorf("next before the response: %d, want 403", got)
	}
	if got := post("someone-else"); got != 400 {
		t.Errorf("a response to another invocation: %d, want 400", got)
	}
	if got := request(e, http.MethodPost, runtimePrefix+"init/error", "{}").Code; got != 400 {
		t.Errorf("an error of the start in the middle of an invocation: %d, want 400", got)
	}
	if got := post(inv.id); got != 202 {
		t.Errorf("the response: %d, want 202", got)
	}
	if got := post(inv.id); got != 400 {
		t.Errorf("the response again: %d, want 400", got)
	}
	for path, want := range map[string]int{"/": 404, runtimePrefix + "invocation/next": 405, extensionPrefix + "nothing": 404} {
		if got := request(e, http.MethodPost, path, "").Code; got != want {
			t.Errorf("POST %s: %d, want %d", path, got, want)
		}
	}
}

func TestRuntimeAPI_AnErrorOfTheStartIsNoAnswerToALaterInvocation(t *testing.T) {
	t.Parallel()
	initError := func(e *environment) int {
		return request(e, http.MethodPost, runtimePrefix+"init/error", "{}").Code
	}
	e := newTestEnvironment(t)
	handOver(e, &invocation{id: "ID"})
	request(e, http.MethodPost, runtimePrefix+"invocation/ID/response", "{}")
	handOver(e, &invocation{id: "NEXT"})
	e.answer, e.current = nil, "" // as between two invocations
	if got := initError(e); got != 400 || e.answer != nil {
		t.Errorf("an error of the start after an invocation: %d, want 400", got)
	}
	failed := newTestEnvironment(t)
	if got := initError(failed); got != 202 {
		t.Errorf("an error of the start: %d, want 202", got)
	}
	if got := request(failed, http.MethodGet, runtimePrefix+"invocation/next", "").Code; got != 403 {
		t.Errorf("next after an error of the start: %d, want 403", got)
	}
}

// slowLog takes a moment for each line.
type slowLog struct{ entered time.Time }

func (l *slowLog) Write(p []byte) (int, error) {
	for l.entered = time.Now(); time.Since(l.entered) < 5*time.Millisecond; {
		runtime.Gosched()
	}
	return len(p), nil
}

func TestRuntimeAPI_DeadlineCountsFromTheHandOverThoughTheLogIsSlow(t *testing.T) {
	t.Parallel()
	e, slow := newTestEnvironment(t), new(slowLog)
	e.log.target = slow
	deadline, err := strconv.ParseInt(handOver(e, &invocation{id: "ID"}).Header().Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if latest := slow.entered.Add(time.Minute); err != nil || time.UnixMilli(deadline).After(latest) {
		t.Errorf("deadline %s, %v; want %s at the latest, when the process is killed", time.UnixMilli(deadline), err, latest)
	}
}

func TestRuntimeAPI_BrokenBodyLeavesTheInvocationOpen(t *testing.T) {
	t.Parallel()
	for path, current := range map[string]string{"invocation/ID/response": "ID", "invocation/ID/error": "ID", "init/error": ""} {
		e := newTestEnvironment(t)
		e.current = current
		recorder := httptest.NewRecorder()
		e.runtimeAPI().ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, runtimePrefix+path, io.MultiReader(strings.NewReader("{"), broken{})))
		if recorder.Code != 400 || e.answer != nil {
			t.Errorf("%s: %d, answer %v; want 400 and none", path, recorder.Code, e.answer)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRuntimeAPI_RegistrationAsksForSIGTERM(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{`{"events":null}`: 200, `{"events":[]}`: 200, `{}`: 200, `{"events":["INVOKE"]}`: 403, `{"events":`: 400} {
		e := newTestEnvironment(t)
		got := request(e, http.MethodPost, extensionPrefix+"register", body, "Lambda-Extension-Name", "x")
		registered := want == 200
		if got.Code != want || e.wantsSIGTERM.Load() != registered || (got.Header().Get("Lambda-Extension-Identifier") != "") != registered {
			t.Errorf("%s: %d %v %s, want %d", body, got.Code, got.Header(), got.Body, want)
		}
	}
}

func TestRuntimeAPI_ExtensionsWaitForAnEventUntilTheyLeave(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, extensionPrefix+"event/next", http.NoBody)
		newTestEnvironment(t).runtimeAPI().ServeHTTP(httptest.NewRecorder(), r)
	}()
	select {
	case <-left:
		t.Error("there was an event")
	default:
	}
	cancel()
	<-left
}

func FuzzRegister(f *testing.F) {
	f.Add(`{"events":["SHUTDOWN","INVOKE"]}`)
	f.Add(`{"events":null,"x":[[]]}`)
	f.Fuzz(func(t *testing.T, body string) {
		e := &environment{pool: &pool{}}
		got := request(e, http.MethodPost, extensionPrefix+"register", body)
		var registration map[string]json.RawMessage
		err := json.Unmarshal([]byte(body), &registration)
		events := strings.Trim(string(registration["events"]), "[] \t\r\n")
		if registered := got.Code == http.StatusOK; registered != e.wantsSIGTERM.Load() || registered && (err != nil || events != "" && events != "null") {
			t.Errorf("%q: %d %s", body, got.Code, got.Body)
		}
	})
}
