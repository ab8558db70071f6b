package lambda

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

func newTestPump(t *testing.T, target io.Writer) *logPump {
	t.Helper()
	pump, err := newLogPump(&lineWriter{target: target}, "id")
	if err != nil {
		t.Fatal(err)
	}
	return pump
}

// writes records each Write apart.
type writes struct{ list []string }

func (w *writes) Write(p []byte) (int, error) {
	w.list = append(w.list, string(p))
	return len(p), nil
}

func TestLogPump_WritesWholeLines(t *testing.T) {
	t.Parallel()
	var log writes
	pump := newTestPump(t, &log)
	long := strings.Repeat("x", maxLogLineBytes)
	fmt.Fprint(pump.write, "one\n\ntw")
	fmt.Fprint(pump.write, "o\n"+long+"rest\nopen")
	pump.close()
	want := []string{"one\n", "two\n", long + "\n", "rest\n", "open\n"}
	if len(log.list) != len(want) {
		t.Fatalf("%d writes, want %d", len(log.list), len(want))
	}
	for i := range want {
		if log.list[i] != want[i] {
			t.Errorf("write %d = %.20q…, want %.20q…", i, log.list[i], want[i])
		}
	}
}

func TestLogPump_TailHasTheLastFourKilobytesOfItsInvocation(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	pump := newTestPump(t, &log)
	fmt.Fprintln(pump.write, "before")
	pump.endTail() // returns when the line has been read
	pump.beginTail()
	for i := range 1000 {
		fmt.Fprintf(pump.write, "line %d\n", i)
	}
	fmt.Fprint(pump.write, "unfinished")
	tail := string(pump.endTail())
	if len(tail) != LogTailBytes || !strings.HasSuffix(tail, "line 999\nunfinished\n") || strings.Contains(tail, "before") {
		t.Errorf("tail of %d bytes ends %q", len(tail), tail[max(0, len(tail)-40):])
	}
	fmt.Fprintln(pump.write, "after")
	pump.close()
	if !strings.Contains(log.String(), "after\n") || strings.Contains(log.String(), "\x00") {
		t.Errorf("log = …%q", log.String()[log.Len()-40:])
	}
	if got := string(pump.endTail()); got != tail {
		t.Error("a tail after the end differs from the one before")
	}
}
