package lambda_test

import (
	"context"
	"encoding/json"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// logged invokes a function twice, which ends as the second command says, and returns its log with numbers and ids made equal.
func logged(t *testing.T, second command) (log []string, tail string) {
	t.Helper()
	var output syncBuffer
	f := function("f", "plain")
	f.Log, f.Timeout = &output, 2*time.Second
	host := newHost(t, lambda.Options{}, f)
	invoke(t, host, "f", command{Do: "log", Text: "hello"})
	result, err := host.Invoke(t.Context(), "f", marshal(t, second), lambda.InvokeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(equalised(output.String()), "\n"), "\n"), equalised(string(result.LogTail))
}

func equalised(log string) string {
	for _, same := range []struct{ pattern, as string }{
		{`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, "ID"},
		{`\d{4}-\d\d-\d\dT[0-9:.]+Z`, "TIME"},
		{`\d{4}/\d\d/\d\d [0-9:]+`, "DATE"},
		{`Ms":[0-9.]+`, `Ms":0`},
	} {
		log = regexp.MustCompile(same.pattern).ReplaceAllString(log, same.as)
	}
	return log
}

// start and report are the host's own lines; end is what the report says of the outcome.
const start = `{"time":"TIME","type":"platform.start","record":{"requestId":"ID","version":"$LATEST"}}`

func report(end string) string {
	return `{"time":"TIME","type":"platform.report","record":{"requestId":"ID",` + end +
		`,"metrics":{"durationMs":0,"billedDurationMs":0,"memorySizeMB":128}}}`
}

// coldReport is that of a success with an initialisation before it.
func coldReport(end string) string {
	return strings.Replace(report(end), `SizeMB":128`, `SizeMB":128,"initDurationMs":0`, 1)
}

func TestHost_Log(t *testing.T) {
	t.Parallel()
	cold := []string{start, "hello", coldReport(`"status":"success"`)}
	tests := []struct {
		name   string
		second command
		want   []string
	}{
		{"a warm one", command{Do: "log", Text: "again"}, []string{start, "again", report(`"status":"success"`)}},
		{"a failure, which the function itself reports", command{Do: "fail", Text: "no"}, []string{
			start, `DATE {"errorMessage":"no","errorType":"errorString"}`, report(`"status":"failure"`),
		}},
		{"a crash", command{Do: "crash"}, []string{
			start, "RequestId: ID Error: Runtime exited with error: exit status 3", "Runtime.ExitError",
			report(`"status":"error","errorType":"Runtime.ExitError"`),
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log, tail := logged(t, test.second)
			if diff := cmp.Diff(append(cold, test.want...), log); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if want := strings.Join(test.want, "\n") + "\n"; tail != want {
				t.Errorf("tail = %q, want %q", tail, want)
			}
			for _, line := range log {
				if line[0] == '{' && !json.Valid([]byte(line)) {
					t.Errorf("%s is no JSON", line)
				}
			}
		})
	}
}

func TestHost_Log_OfATimeout(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	held := make(chan net.Conn, 1)
	go func() {
		connection, err := listener.Accept()
		if err == nil {
			held <- connection
		}
	}()
	log, _ := logged(t, command{Do: "hang", Address: listener.Addr().String()})
	_ = (<-held).Close()
	want := []string{
		start, "TIME ID Task timed out after 2.00 seconds", report(`"status":"timeout","errorType":"Sandbox.Timedout"`),
	}
	if diff := cmp.Diff(want, log[3:]); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestHost_Log_OfAFailedStart(t *testing.T) {
	t.Parallel()
	var output syncBuffer
	f := function("f", "init-exit")
	f.Log = &output
	result, err := newHost(t, lambda.Options{}, f).Invoke(t.Context(), "f", nil, lambda.InvokeOptions{})
	if err != nil || !result.Failed() {
		t.Fatalf("got %+v, %v", result, err)
	}
	want := strings.Join([]string{
		start, "RequestId: ID Error: Runtime exited with error: exit status 7", "Runtime.ExitError",
		coldReport(`"status":"error","errorType":"Runtime.ExitError"`),
	}, "\n") + "\n"
	if log, tail := equalised(output.String()), equalised(string(result.LogTail)); log != want || tail != want {
		t.Errorf("log %q and tail %q, want %q", log, tail, want)
	}
}
