package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// repository returns the root of the repository, with the functions built.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if !hasFunctions(filepath.Join(root, "dist")) {
		t.Fatal("the functions are not built: make build")
	}
	return root
}

// lineWith waits for a line that holds text.
func lineWith(t *testing.T, w *watched, text string) string {
	t.Helper()
	deadline := time.After(time.Minute)
	var seen []string
	for {
		select {
		case line := <-w.lines:
			if strings.Contains(line, text) {
				return line
			}
			seen = append(seen, line)
		case <-deadline:
			t.Fatalf("no line with %q in a minute, only:\n%s", text, strings.Join(seen, ""))
		}
	}
}

// TestDev_DemoThenDrain runs the quickstart with the real functions: what make run does, and Ctrl-C.
func TestDev_DemoThenDrain(t *testing.T) {
	root := repository(t)
	t.Chdir(t.TempDir()) // the quickstart writes ./out
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, shown := newWatched(), newWatched()
	c := &console{in: strings.NewReader(""), out: out, err: shown, getenv: func(string) string { return "" }}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{
			"dev", "--demo", "--json", "--listen", "127.0.0.1:0", "--aws-listen", "127.0.0.1:0",
			"--config", filepath.Join(root, "examples/quickstart/millrace.yaml"), "--dist", filepath.Join(root, "dist"),
		}, c)
	}()
	var ready readyLine
	if err := json.Unmarshal([]byte(lineWith(t, out, "ready")), &ready); err != nil || !ready.Ready || ready.PID != os.Getpid() {
		t.Fatalf("ready line %+v, error %v", ready, err)
	}
	lineWith(t, shown, "demo: 1000 sent, 1000 accepted, 1000 delivered")
	lineWith(t, shown, "http: delivered=1000 in_flight=0 dead=0 | queue=0 dlq=0")

	var now status
	execute(ctx, "", "status", "--json", "--aws", ready.AWS).decode(t, &now)
	want := status{
		Ingest:  &ingestBooks{Received: 1000, Accepted: 1000},
		Sinks:   map[string]sinkBooks{"archive": {Routed: 1000, Delivered: 1000}, "http": {Routed: 1000, Delivered: 1000}},
		Counted: true, Balanced: true, States: map[string]sinkState{},
	}
	if diff := cmp.Diff(want, now); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	execute(ctx, "", "send", "--url", ready.API, "--key", "unknown").want(t, exitFailed, "0 sent", "401")
	execute(ctx, "", "replay", "--aws", ready.AWS, "--dry-run").want(t, exitDone, "would replay 0 of 0 letters", "")

	cancel()
	lineWith(t, shown, "stopped: nothing was left on the queues")
	if got := <-code; got != exitDone {
		t.Errorf("exit code = %d, want 0", got)
	}
	for _, function := range []string{devstack.Ingest, devstack.Flush} {
		if _, err := os.Stat(filepath.Join(".millrace", "logs", function+".log")); err != nil {
			t.Error(err)
		}
	}
}

func TestDev_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	root := repository(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	local := strings.Replace(goodConfig, "${env:SINK_URL}", "http://127.0.0.1:1/", 1)
	tests := []struct {
		name, config string
		args         []string
		code         int
		err          string
	}{
		{"no such file", "", []string{"--config", "/none.yaml"}, exitUsage, "/none.yaml"},
		{"every problem of the file", local + "flush: { max_event: 5 }\n", nil, exitUsage, "flush.max_event"},
		{"a variable that is not set", goodConfig, nil, exitUsage, "SINK_URL is not set"},
		{"the quickstart without its demo", strings.Replace(goodConfig, "SINK_URL", demoVariable, 1), nil, exitUsage, "--demo starts a sink for it"},
		{"a demo that nothing leads to", local, []string{"--demo"}, exitUsage, "nothing would arrive at the demo sink"},
		{"functions that are not built", local, []string{"--dist", "/none"}, exitUsage, "Run: make build"},
		{"the API's port in use", local, []string{"--listen", taken.Addr().String()}, exitFailed, "Another program, perhaps another millrace, has this port"},
		{"the AWS endpoint's port in use", local, []string{"--aws-listen", taken.Addr().String()}, exitFailed, "has this port"},
		{"an address that others could reach", local, []string{"--listen", "0.0.0.0:0"}, exitFailed, "is not loopback"},
		{"a flush that outlives its packs' hiding", local, []string{"--visibility", "5s"}, exitUsage, "must not be below --flush-timeout"},
		{"a flush without time", local, []string{"--flush-timeout", "0s"}, exitUsage, "--flush-timeout must be between"},
		{"a drain that ends before it began", local, []string{"--drain=-1s"}, exitUsage, "--drain must not be negative"},
		{"a place that is no directory", local, []string{"--data", "/dev/null"}, exitFailed, "dev --data"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := []string{
				"dev", "--listen", "127.0.0.1:0", "--aws-listen", "127.0.0.1:0", "--data", "memory",
				"--dist", filepath.Join(root, "dist"), "--config", writeFile(t, test.config),
			}
			execute(t.Context(), "", append(args, test.args...)...).want(t, test.code, "", test.err)
		})
	}
}

func TestFindFunctions(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	if _, err := findFunctions(place); err == nil {
		t.Error("functions were found in an empty directory")
	}
	for _, function := range []string{devstack.Ingest, devstack.Flush, devstack.Replay} {
		if err := os.MkdirAll(filepath.Join(place, function), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, function, "bootstrap"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bootstrap, err := findFunctions(place)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bootstrap(devstack.Flush), filepath.Join(place, "flush", "bootstrap"); got != want {
		t.Errorf("bootstrap = %s, want %s", got, want)
	}
}

// movingBooks are books in which something of everything has happened.
func movingBooks() books {
	count := func(counter ledger.Counter, sink string, n int) ledger.Entry {
		return ledger.Entry{Key: ledger.Key{Counter: counter, Sink: sink}, Count: n}
	}
	b := newBooks([]ledger.Entry{
		count(ledger.Received, "", 20), count(ledger.Accepted, "", 10), count(ledger.Refused, "", 4), count(ledger.Filtered, "", 3),
		count(ledger.Sampled, "", 1), count(ledger.Limited, "", 1),
		count(ledger.Routed, "http", 10), count(ledger.Delivered, "http", 4), count(ledger.Deduped, "http", 1), count(ledger.Rejected, "http", 1),
		count(ledger.DeadLettered, "http", 2), count(ledger.Retried, "http", 9), count(ledger.Deferred, "http", 2),
		count(ledger.Routed, "archive", 5), count(ledger.Delivered, "archive", 2), count(ledger.Deduped, "archive", 2), count(ledger.Conflict, "archive", 1),
		count(ledger.Dropped, "archive", 1), count(ledger.Routed, "archive", 3), count(ledger.Returned, "archive", 3),
	}, "archive", "http")
	b.Queue, b.DeadLetters = queue.Depth{Visible: 1, InFlight: 2, Delayed: 3}, queue.Depth{Visible: 2}
	return b
}

func TestNewBooks_Balance(t *testing.T) {
	t.Parallel()
	want := books{
		Queue: queue.Depth{Visible: 1, InFlight: 2, Delayed: 3}, DeadLetters: queue.Depth{Visible: 2},
		Ingest: ingestBooks{Received: 20, Accepted: 10, Refused: 4, Filtered: 3, Sampled: 1, Limited: 1, Unaccounted: 1},
		Sinks: map[string]sinkBooks{
			"archive": {Routed: 8, Delivered: 2, Deduped: 2, Conflict: 1, Dropped: 1, Returned: 3},
			"http":    {Routed: 10, Delivered: 4, Deduped: 1, Rejected: 1, DeadLettered: 2, InFlight: 2, Retried: 9, Deferred: 2},
		},
	}
	if diff := cmp.Diff(want, movingBooks()); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

func TestScreen_LogsWhatMoves(t *testing.T) {
	t.Parallel()
	var shown strings.Builder
	s := newScreen(&console{err: &shown})
	s.show(newBooks(nil, "http")) // nothing has happened yet
	s.show(movingBooks())
	s.show(movingBooks())
	const want = "received=20 accepted=10 refused=4 | archive: delivered=2 in_flight=0 dead=0 | http: delivered=4 in_flight=2 dead=2 | queue=6 dlq=2\n"
	if got := shown.String(); !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("shown %q, want one line that ends in %q", got, want)
	}
}

func TestScreen_RedrawsInPlace(t *testing.T) {
	t.Parallel()
	var shown strings.Builder
	s := newScreen(&console{err: &shown, terminal: true})
	s.show(newBooks(nil, "archive", "http"))
	s.show(movingBooks())
	s.show(movingBooks())
	got := shown.String()
	if up := strings.Count(got, "\x1b[5A\x1b[J"); up != 1 {
		t.Errorf("shown %q, want it redrawn once, five lines up", got)
	}
	for _, want := range []string{
		"queue    1 pack waiting, 2 being delivered, 3 delayed\n",
		"ingest   received 20  accepted 10  refused 4  filtered 3  sampled 1  limited 1\n",
		"archive: routed 8  delivered 2  in flight 0  dead letters 0  deduped 2  in conflict 1  dropped 1  returned 3\n",
		"http: routed 10  delivered 4  in flight 2  dead letters 2  deduped 1  rejected 1  (retried 9, deferred 2)\n", "2 letters: millrace dlq ls\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("shown %q, want it to hold %q", got, want)
		}
	}
}

func TestAwaitEmpty_GivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	awaitEmpty(ctx, func() int { return 1 }) // returns, or the test times out
	left := 3
	awaitEmpty(t.Context(), func() int { left--; return left })
	if left != 0 {
		t.Errorf("left = %d, want 0", left)
	}
}

func TestPlayText_NamesAddressesOnlyWhereNeeded(t *testing.T) {
	t.Parallel()
	usual := playText(&cloud{api: defaultAPI, aws: defaultAWS}, "http://127.0.0.1:9")
	if strings.Contains(usual, "--aws") || strings.Contains(usual, "--url") {
		t.Errorf("text = %s, want no addresses that are the default", usual)
	}
	other := playText(&cloud{api: "http://127.0.0.1:1", aws: "http://127.0.0.1:2"}, "http://127.0.0.1:9")
	for _, want := range []string{"send --count 500 --url http://127.0.0.1:1\n", "dlq ls --aws http://127.0.0.1:2\n", "http://127.0.0.1:9/_sink"} {
		if !strings.Contains(other, want) {
			t.Errorf("text = %s, want %q in it", other, want)
		}
	}
}
