package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// syncBuffer is a log that a test may read while functions write.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// newHost starts a host that the test closes at its end.
func newHost(tb testing.TB, options lambda.Options, functions ...lambda.Function) *lambda.Host {
	tb.Helper()
	host, err := lambda.NewHost(functions, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := host.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return host
}

// listen opens a port on which functions report.
func listen(tb testing.TB) net.Listener {
	tb.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	return listener
}

func accept(tb testing.TB, listener net.Listener) net.Conn {
	tb.Helper()
	connection, err := listener.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = connection.Close() })
	return connection
}

// awaitDeath returns when the process at the other end is gone.
func awaitDeath(connection net.Conn) {
	_, _ = io.Copy(io.Discard, connection)
}

func marshal(tb testing.TB, c command) []byte {
	tb.Helper()
	payload, err := json.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	return payload
}

func invoke(tb testing.TB, host *lambda.Host, name string, c command) lambda.Result {
	tb.Helper()
	result, err := host.Invoke(context.Background(), name, marshal(tb, c), lambda.InvokeOptions{})
	if err != nil {
		tb.Fatalf("Invoke(%s, %+v): %v", name, c, err)
	}
	return result
}

func who(tb testing.TB, host *lambda.Host, name string) identity {
	tb.Helper()
	result := invoke(tb, host, name, command{Do: "who"})
	var id identity
	if err := json.Unmarshal(result.Payload, &id); err != nil {
		tb.Fatalf("payload %s: %v", result.Payload, err)
	}
	return id
}

// wantFailure checks the error object of a failed invocation.
func wantFailure(tb testing.TB, result lambda.Result, errorType, message string) {
	tb.Helper()
	var object struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(result.Payload, &object); err != nil {
		tb.Fatalf("payload %s: %v", result.Payload, err)
	}
	if result.FunctionError != lambda.Unhandled || object.ErrorType != errorType || !regexp.MustCompile(message).MatchString(object.ErrorMessage) {
		tb.Errorf("got %q %+v, want Unhandled %s matching %q", result.FunctionError, object, errorType, message)
	}
}

func TestHost_Invoke_TellsTheFunctionAboutItself(t *testing.T) {
	t.Parallel()
	f := function("teller", "plain")
	f.MemoryMB = 256
	f.Environment["LOCAL"] = "yes"
	host := newHost(t, lambda.Options{Environment: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "LOCAL": "no"}}, f)

	id := who(t, host, "teller")

	got := map[string]string{}
	for _, name := range []string{
		"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_LOG_GROUP_NAME",
		"AWS_REGION", "AWS_DEFAULT_REGION", "_HANDLER", "LAMBDA_TASK_ROOT", "AWS_ENDPOINT_URL", "LOCAL", "AWS_EXECUTION_ENV", "TZ",
	} {
		got[name] = id.Variables[name]
	}
	want := map[string]string{
		"AWS_LAMBDA_FUNCTION_NAME": "teller", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/teller", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
		"_HANDLER": "bootstrap", "LAMBDA_TASK_ROOT": filepath.Dir(f.Bootstrap), "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
		"LOCAL": "yes", "AWS_EXECUTION_ENV": "AWS_Lambda_provided.al2023", "TZ": ":UTC",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(id.Variables["AWS_LAMBDA_RUNTIME_API"], "127.0.0.1:") {
		t.Errorf("AWS_LAMBDA_RUNTIME_API = %q, want a loopback address", id.Variables["AWS_LAMBDA_RUNTIME_API"])
	}
	if want := "arn:aws:lambda:us-east-1:000000000000:function:teller"; id.ARN != want {
		t.Errorf("ARN = %q, want %q", id.ARN, want)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`).MatchString(id.Trace) {
		t.Errorf("trace id = %q", id.Trace)
	}
	if id.Remaining <= 0 || id.Remaining > time.Minute {
		t.Errorf("remaining time = %s, want within the timeout of 1m", id.Remaining)
	}
	if _, leaked := id.Variables["GOPATH"]; leaked || id.Directory != filepath.Dir(f.Bootstrap) {
		t.Errorf("directory %q, leaked variable %v", id.Directory, leaked)
	}
}

func TestHost_Invoke_ReusesTheWarmEnvironment(t *testing.T) {
	t.Parallel()
	host := newHost(t, lambda.Options{}, function("warm", "plain"))
	first, second := who(t, host, "warm"), who(t, host, "warm")
	if first.PID != second.PID || first.RequestID == second.RequestID {
		t.Errorf("got pids %d and %d, request ids %s and %s; want one process and two ids", first.PID, second.PID, first.RequestID, second.RequestID)
	}
	if diff := cmp.Diff([]int{first.PID}, host.PIDs("warm")); diff != "" {
		t.Errorf("PIDs (-want +got):\n%s", diff)
	}
}

func TestHost_Invoke_ReportsWhatGoesWrong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		role               string
		command            command
		errorType, message string
		sameProcess        bool
	}{
		{name: "a handler's error is passed on and the process stays", command: command{Do: "fail", Text: "no luck"}, errorType: "errorString", message: "^no luck$", sameProcess: true},
		{name: "a panic is passed on and the process is replaced", command: command{Do: "panic", Text: "oh no"}, errorType: "string", message: "^oh no$"},
		{name: "an exit is a crash", command: command{Do: "crash"}, errorType: "Runtime.ExitError", message: `^RequestId: \S+ Error: Runtime exited with error: exit status 3$`},
		{name: "a response over 6 MB is refused", command: command{Do: "big", Bytes: lambda.MaxPayloadBytes + 1}, errorType: "Function.ResponseSizeTooLarge", message: `6291556 bytes`},
		{name: "a response that breaks off carries the error of its trailer", command: command{Do: "break"}, errorType: "errorString", message: "^stream broke$", sameProcess: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host := newHost(t, lambda.Options{}, function("f", "plain"))
			before := who(t, host, "f")
			wantFailure(t, invoke(t, host, "f", test.command), test.errorType, test.message)
			after := who(t, host, "f")
			if same := before.PID == after.PID; same != test.sameProcess {
				t.Errorf("pid before %d, after %d; want the same: %v", before.PID, after.PID, test.sameProcess)
			}
		})
	}
}

func TestHost_Invoke_LargestResponsePasses(t *testing.T) {
	t.Parallel()
	host := newHost(t, lambda.Options{}, function("f", "plain"))
	result := invoke(t, host, "f", command{Do: "big", Bytes: lambda.MaxPayloadBytes})
	if result.Failed() || len(result.Payload) != lambda.MaxPayloadBytes {
		t.Errorf("got %d bytes, error %q; want %d bytes", len(result.Payload), result.FunctionError, lambda.MaxPayloadBytes)
	}
}

func TestHost_Invoke_InitialisationFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, role, errorType, message string
	}{
		{"the process's own words are passed on", "init-error", "Config.Missing", "^no config$"},
		{"an exit before the first next is a crash", "init-exit", "Runtime.ExitError", "exit status 7$"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host := newHost(t, lambda.Options{}, function("f", test.role))
			wantFailure(t, invoke(t, host, "f", command{}), test.errorType, test.message)
			if pids := host.PIDs("f"); len(pids) > 0 {
				t.Errorf("PIDs = %v, want none", pids)
			}
		})
	}
}

func TestHost_Invoke_BootstrapVanished(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	host := newHost(t, lambda.Options{}, lambda.Function{Name: "f", Bootstrap: path})
	wantFailure(t, invoke(t, host, "f", command{}), "Runtime.InvalidEntrypoint", "valid bootstrap")
}

func TestHost_Invoke_TimeoutKillsTheProcess(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	var log syncBuffer
	f := function("slow", "plain")
	f.Timeout, f.Log = 250*time.Millisecond, &log
	host := newHost(t, lambda.Options{}, f)

	result := invoke(t, host, "slow", command{Do: "hang", Address: listener.Addr().String()})

	wantFailure(t, result, "Sandbox.Timedout", `^RequestId: \S+ Error: Task timed out after 0\.25 seconds$`)
	awaitDeath(accept(t, listener))
	if !strings.Contains(log.String(), result.RequestID+" Task timed out after 0.25 seconds") {
		t.Errorf("log = %q, want the timeout in it", log.String())
	}
}

func TestHost_Invoke_RefusesTooLargeRequests(t *testing.T) {
	t.Parallel()
	host := newHost(t, lambda.Options{}, function("f", "plain"))
	for _, test := range []struct {
		kind  lambda.InvocationType
		bytes int
	}{{lambda.InvocationRequestResponse, lambda.MaxPayloadBytes + 1}, {lambda.InvocationEvent, lambda.MaxEventBytes + 1}} {
		_, err := host.Invoke(context.Background(), "f", make([]byte, test.bytes), lambda.InvokeOptions{Type: test.kind})
		if !lambda.IsTooLarge(err) {
			t.Errorf("%s with %d bytes: got %v, want RequestTooLargeException", test.kind, test.bytes, err)
		}
	}
}

func TestHost_Invoke_ThrottlesAtTheConcurrencyLimit(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	f := function("narrow", "plain")
	f.MaxConcurrency = 2
	host := newHost(t, lambda.Options{}, f)
	payload := marshal(t, command{Do: "wait", Address: listener.Addr().String()})
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			if _, err := host.Invoke(context.Background(), "narrow", payload, lambda.InvokeOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	busy := []net.Conn{accept(t, listener), accept(t, listener)}
	_, err := host.Invoke(context.Background(), "narrow", payload, lambda.InvokeOptions{})
	if !lambda.IsThrottled(err) || !strings.Contains(err.Error(), "Rate Exceeded") {
		t.Errorf("third invocation: got %v, want TooManyRequestsException", err)
	}
	if got := len(host.PIDs("narrow")); got != 2 {
		t.Errorf("%d processes, want 2", got)
	}
	for _, connection := range busy {
		_ = connection.Close()
	}
	running.Wait()
	for range 3 { // so that the other one falls idle
		if id, all := who(t, host, "narrow"), host.PIDs("narrow"); id.PID != all[0] {
			t.Errorf("pid %d served, want the oldest of %v", id.PID, all)
		}
	}
}

func TestHost_Invoke_WaitsForAFreeEnvironment(t *testing.T) {
	t.Parallel()
	f := function("queue", "plain")
	f.MaxConcurrency, f.MaxWait = 1, time.Minute
	host := newHost(t, lambda.Options{}, f)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { who(t, host, "queue") })
	}
	all.Wait()
	if got := len(host.PIDs("queue")); got != 1 {
		t.Errorf("%d processes, want 1", got)
	}
}

func TestHost_Invoke_WaitEnds(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	f := function("queue", "plain")
	f.MaxConcurrency, f.MaxWait = 1, time.Millisecond
	host := newHost(t, lambda.Options{}, f)
	done := make(chan lambda.Result, 1)
	go func() { done <- invoke(t, host, "queue", command{Do: "wait", Address: listener.Addr().String()}) }()
	connection := accept(t, listener)
	if _, err := host.Invoke(context.Background(), "queue", nil, lambda.InvokeOptions{}); !lambda.IsThrottled(err) {
		t.Errorf("got %v, want throttled", err)
	}
	_ = connection.Close()
	<-done
}

func TestHost_Kill_FailsTheInvocationAndTheNextSucceeds(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	host := newHost(t, lambda.Options{}, function("f", "plain"))
	done := make(chan lambda.Result, 1)
	go func() { done <- invoke(t, host, "f", command{Do: "hang", Address: listener.Addr().String()}) }()
	accept(t, listener)

	if got := host.Kill("f"); got != 1 {
		t.Errorf("Kill = %d, want 1", got)
	}

	wantFailure(t, <-done, "Runtime.ExitError", "signal: killed$")
	if id := who(t, host, "f"); id.PID == 0 {
		t.Error("the next invocation got no process")
	}
	if got := host.Kill("nobody"); got != 0 || host.PIDs("nobody") != nil {
		t.Errorf("an unknown function has %d processes", got)
	}
}

func TestHost_Invoke_KilledWhileIdleIsReplacedSilently(t *testing.T) {
	t.Parallel()
	host := newHost(t, lambda.Options{}, function("f", "plain"))
	before := who(t, host, "f")
	host.Kill("f")
	if after := who(t, host, "f"); after.PID == before.PID {
		t.Errorf("pid %d answered after it was killed", after.PID)
	}
}

func TestHost_Invoke_CallerLeavesTheFunctionGoesOn(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	host := newHost(t, lambda.Options{}, function("f", "plain"))
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	payload := marshal(t, command{Do: "wait", Address: listener.Addr().String()})
	go func() {
		_, err := host.Invoke(ctx, "f", payload, lambda.InvokeOptions{})
		failed <- err
	}()
	connection := accept(t, listener)
	pids := host.PIDs("f")
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	_ = connection.Close()
	if diff := cmp.Diff(pids, host.PIDs("f")); diff != "" {
		t.Errorf("processes changed (-before +after):\n%s", diff)
	}
}

func TestHost_IdleEnvironmentsAreReaped(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	f := function("f", "plain")
	f.Environment["REPORT_TO"] = listener.Addr().String()
	host := newHost(t, lambda.Options{IdleTimeout: 10 * time.Millisecond}, f)
	who(t, host, "f")
	awaitDeath(accept(t, listener))
	who(t, host, "f")
}

func TestHost_AFunctionIsCopiedAndItsPathIsThatOfTheHost(t *testing.T) {
	t.Parallel()
	f := function("f", "plain")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if f.Bootstrap, err = filepath.Rel(here, f.Bootstrap); err != nil {
		t.Fatal(err)
	}
	host := newHost(t, lambda.Options{}, f)
	f.Environment["LATER"] = "yes"
	if id := who(t, host, "f"); id.Variables["LATER"] != "" {
		t.Errorf("the function has a variable that was set after NewHost: %q", id.Variables["LATER"])
	}
}

func TestHost_Close_DrainsThenTerminates(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	var log syncBuffer
	f := function("polite", "sigterm")
	f.Log = &log
	host, err := lambda.NewHost([]lambda.Function{f}, lambda.Options{ShutdownGrace: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan lambda.Result, 1)
	go func() { done <- invoke(t, host, "polite", command{Do: "wait", Address: listener.Addr().String()}) }()
	connection := accept(t, listener)
	closed := make(chan error, 1)
	go func() { closed <- host.Close(context.Background()) }()
	for { // until Close has begun to refuse
		if _, err := host.Invoke(context.Background(), "polite", nil, lambda.InvokeOptions{}); err != nil {
			break
		}
	}
	_ = connection.Close()
	if result := <-done; result.Failed() {
		t.Errorf("the invocation in progress failed: %s", result.Payload)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "terminated\n") {
		t.Errorf("log = %q, want the SIGTERM handler's line", log.String())
	}
	if err := host.Close(context.Background()); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestHost_Close_KillsWhatIgnoresIt(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	f := function("f", "stubborn")
	f.Environment["REPORT_TO"] = listener.Addr().String()
	host, err := lambda.NewHost([]lambda.Function{f}, lambda.Options{ShutdownGrace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	hanging := listen(t)
	done := make(chan lambda.Result, 1)
	go func() { done <- invoke(t, host, "f", command{Do: "hang", Address: hanging.Addr().String()}) }()
	accept(t, hanging)
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	if err := host.Close(expired); err == nil {
		t.Error("Close said nothing about the invocation it killed")
	}
	wantFailure(t, <-done, "Runtime.ExitError", "signal: killed")
	awaitDeath(accept(t, listener))
}

func TestNewHost_NamesEveryProblem(t *testing.T) {
	t.Parallel()
	good := function("twice", "plain")
	directory := t.TempDir()
	_, err := lambda.NewHost([]lambda.Function{
		good, good,
		{Name: "bad name", Bootstrap: good.Bootstrap},
		{Name: "missing", Bootstrap: filepath.Join(directory, "bootstrap")},
		{Name: "folder", Bootstrap: directory},
		{Name: "timeout", Bootstrap: good.Bootstrap, Timeout: time.Hour},
		{Name: "negative", Bootstrap: good.Bootstrap, MaxWait: -1},
	}, lambda.Options{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"twice", "bad name", "no such file", "is a directory", "1h0m0s", "negative"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not mention %q", err, part)
		}
	}
}

func BenchmarkHost_Invoke_Warm(b *testing.B) {
	for _, test := range []struct {
		name string
		log  io.Writer
	}{{"plain", nil}, {"logged", &syncBuffer{}}} {
		b.Run(test.name, func(b *testing.B) {
			f := function("f", "plain")
			f.Log = test.log
			host := newHost(b, lambda.Options{}, f)
			payload := marshal(b, command{Text: strings.Repeat("e", 1024)})
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if _, err := host.Invoke(context.Background(), "f", payload, lambda.InvokeOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHost_Invoke_Cold(b *testing.B) {
	host := newHost(b, lambda.Options{}, function("f", "plain"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := host.Invoke(context.Background(), "f", nil, lambda.InvokeOptions{}); err != nil {
			b.Fatal(err)
		}
		host.Kill("f")
	}
}
