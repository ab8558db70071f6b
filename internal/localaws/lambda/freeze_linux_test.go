package lambda_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// awaitState waits until a process is in one of the states of proc(5).
func awaitState(t *testing.T, pid int, states string) {
	t.Helper()
	for t.Context().Err() == nil {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := bytes.Cut(text, []byte(") ")) // behind the name
		if strings.IndexByte(states, after[0]) >= 0 {
			return
		}
		runtime.Gosched()
	}
	t.Fatalf("process %d is never in one of the states %s", pid, states)
}

func TestHost_Invoke_FreezesTheProcessBetweenInvocations(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	f := function("f", "sigterm")
	f.Log = &log
	host, err := lambda.NewHost([]lambda.Function{f}, lambda.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first := who(t, host, "f")
	awaitState(t, first.PID, "T")
	if second := who(t, host, "f"); first.PID != second.PID {
		t.Errorf("pids %d and %d, want one process", first.PID, second.PID)
	}
	awaitState(t, first.PID, "T")
	if err := host.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "terminated\n") {
		t.Errorf("a frozen process did not get to its SIGTERM handler: %s", log.String())
	}
}
