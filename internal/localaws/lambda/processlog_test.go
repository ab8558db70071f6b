package lambda

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newTestLog(t *testing.T, target io.Writer) *processLog {
	t.Helper()
	log, err := newProcessLog(target, new(sync.Mutex))
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// writes records each Write apart.
type writes struct{ list []string }

func (w *writes) Write(p []byte) (int, error) {
	w.list = append(w.list, string(p))
	return len(p), nil
}

func TestProcessLog_WritesWholeLines(t *testing.T) {
	t.Parallel()
	var lines writes
	log := newTestLog(t, &lines)
	long := strings.Repeat("x", 3*maxLogLineBytes)
	fmt.Fprint(log.write, "one\n\ntw")
	fmt.Fprint(log.write, "o\n"+long+"\nopen")
	_ = log.write.Close()
	log.close()
	var pieces int
	for _, line := range lines.list[2 : len(lines.list)-1] {
		pieces += strings.Count(line, "x")
		if len(line) > maxLogLineBytes+pipeBytes || !strings.HasSuffix(line, "x\n") {
			t.Errorf("a piece of %d bytes ends in %q", len(line), line[len(line)-2:])
		}
	}
	if first, last := lines.list[:2], lines.list[len(lines.list)-1]; !slices.Equal(first, []string{"one\n", "two\n"}) || last != "open\n" || pieces != len(long) {
		t.Errorf("got %q, %d bytes of the long line, and %q", first, pieces, last)
	}
}

func TestProcessLog_HostsLinesStandWhereTheyBelong(t *testing.T) {
	t.Parallel()
	var lines writes
	log := newTestLog(t, &lines)
	var want []string
	for i := range 1000 {
		line := strings.Repeat("y", i)
		fmt.Fprint(log.write, "before\n"+line)
		log.platform("host %d\nand its %s", i, "second line")
		want = append(want, "before\n")
		if line != "" {
			want = append(want, line+"\n")
		}
		want = append(want, fmt.Sprintf("host %d\n", i), "and its second line\n")
	}
	_ = log.write.Close()
	log.close()
	log.platform("after the end")
	if diff := cmp.Diff(append(want, "after the end\n"), lines.list); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestProcessLog_TailHasTheLastFourKilobytesSinceTheCutBefore(t *testing.T) {
	t.Parallel()
	log := newTestLog(t, io.Discard)
	fmt.Fprintln(log.write, "before")
	log.platform("END")
	if got := string(log.cut()); got != "before\nEND\n" {
		t.Errorf("first cut = %q", got)
	}
	for i := range 1000 {
		fmt.Fprintf(log.write, "line %d\n", i)
	}
	fmt.Fprint(log.write, "unfinished")
	log.platform("END")
	tail := string(log.cut())
	if len(tail) != LogTailBytes || !strings.HasSuffix(tail, "line 999\nunfinished\nEND\n") || strings.Contains(tail, "before") {
		t.Errorf("tail of %d bytes ends %q", len(tail), tail[max(0, len(tail)-40):])
	}
	_ = log.write.Close()
	log.close()
	if got := log.cut(); len(got) > 0 {
		t.Errorf("nothing was logged, but the cut is %q", got)
	}
}

func TestProcessLog_DoesNotWaitForAStrayGrandchild(t *testing.T) {
	t.Parallel()
	var lines writes
	log := newTestLog(t, &lines) // whose other end stays open
	fmt.Fprint(log.write, "last words")
	log.close()
	_ = log.write.Close()
	if !slices.Equal(lines.list, []string{"last words\n"}) {
		t.Errorf("got %q", lines.list)
	}
}
