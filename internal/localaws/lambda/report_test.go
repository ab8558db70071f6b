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
func logged(t *testing.T, format lambda.LogFormat, second command) (log []string, tail string) {
	t.Helper()
	var output syncBuffer
	f := function("f", "plain")
	f.Log, f.LogFormat, f.Timeout = &output, format, 2*time.Second
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
		{`\d+(\.\d+)? ms`, "N ms"},
		{`Used: \d+ MB`, "Used: N MB"},
		{`Ms":[0-9.]+`, `Ms":0`},
		{`UsedMB":\d+`, `UsedMB":0`},
	} {
		log = regexp.MustCompile(same.pattern).ReplaceAllString(log, same.as)
	}
	return log
}

func TestHost_Log_Text(t *testing.T) {
	t.Parallel()
	cold := []string{
		"START RequestId: ID Version: $LATEST", "hello", "END RequestId: ID",
		"REPORT RequestId: ID\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: N MB\tInit Duration: N ms\t",
	}
	warm := "REPORT RequestId: ID\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: N MB\t"
	tests := []struct {
		name   string
		second command
		want   []string
	}{
		{"a warm one", command{Do: "log", Text: "again"}, []string{"START RequestId: ID Version: $LATEST", "again", "END RequestId: ID", warm}},
		{"a failure, which the function itself reports", command{Do: "fail", Text: "no"}, []string{
			"START RequestId: ID Version: $LATEST", `DATE {"errorMessage":"no","errorType":"errorString"}`, "END RequestId: ID", warm,
		}},
		{"a crash", command{Do: "crash"}, []string{
			"START RequestId: ID Version: $LATEST", "RequestId: ID Error: Runtime exited with error: exit status 3", "Runtime.ExitError",
			"END RequestId: ID", warm + "Status: error\tError Type: Runtime.ExitError",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log, tail := logged(t, lambda.LogFormatText, test.second)
			if diff := cmp.Diff(append(cold, test.want...), log); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if want := strings.Join(test.want, "\n") + "\n"; tail != want {
				t.Errorf("tail = %q, want %q", tail, want)
			}
		})
	}
}

func TestHost_Log_TextOfATimeout(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	held := make(chan net.Conn, 1)
	go func() {
		connection, err := listener.Accept()
		if err == nil {
			held <- connection
		}
	}()
	log, _ := logged(t, lambda.LogFormatText, command{Do: "hang", Address: listener.Addr().String()})
	_ = (<-held).Close()
	want := []string{
		"START RequestId: ID Version: $LATEST", "TIME ID Task timed out after 2.00 seconds", "END RequestId: ID",
		"REPORT RequestId: ID\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: N MB\tStatus: timeout",
	}
	if diff := cmp.Diff(want, log[4:]); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestHost_Log_TextOfAFailedStart(t *testing.T) {
	t.Parallel()
	var output syncBuffer
	f := function("f", "init-exit")
	f.Log = &output
	result, err := newHost(t, lambda.Options{}, f).Invoke(t.Context(), "f", nil, lambda.InvokeOptions{})
	if err != nil || !result.Failed() {
		t.Fatalf("got %+v, %v", result, err)
	}
	want := "\nSTART RequestId: ID Version: $LATEST\nRequestId: ID Error: Runtime exited with error: exit status 7\nRuntime.ExitError\nEND RequestId: ID\nREPORT RequestId: ID\tDuration: N ms\tBilled Duration: N ms\t" +
		"Memory Size: 128 MB\tMax Memory Used: N MB\tInit Duration: N ms\tStatus: error\tError Type: Runtime.ExitError\n"
	if got := "\n" + equalised(output.String()); got != want || equalised("\n"+string(result.LogTail)) != want {
		t.Errorf("log %q and tail %q, want %q", got, result.LogTail, want)
	}
}

func TestHost_Log_JSON(t *testing.T) {
	t.Parallel()
	log, _ := logged(t, lambda.LogFormatJSON, command{Do: "crash"})
	want := []string{
		`{"time":"TIME","type":"platform.start","record":{"requestId":"ID","version":"$LATEST"}}`,
		"hello",
		`{"time":"TIME","type":"platform.report","record":{"requestId":"ID","status":"success",` +
			`"metrics":{"durationMs":0,"billedDurationMs":0,"memorySizeMB":128,"maxMemoryUsedMB":0,"initDurationMs":0}}}`,
		`{"time":"TIME","type":"platform.start","record":{"requestId":"ID","version":"$LATEST"}}`,
		"RequestId: ID Error: Runtime exited with error: exit status 3", "Runtime.ExitError",
		`{"time":"TIME","type":"platform.report","record":{"requestId":"ID","status":"error","errorType":"Runtime.ExitError",` +
			`"metrics":{"durationMs":0,"billedDurationMs":0,"memorySizeMB":128,"maxMemoryUsedMB":0}}}`,
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	for _, line := range []int{0, 2, 3, 6} {
		if !json.Valid([]byte(log[line])) {
			t.Errorf("line %d is no JSON: %s", line, log[line])
		}
	}
}
