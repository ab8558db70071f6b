package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/logfile"
)

// logDir makes a data directory with the files of a log in it, by name.
func logDir(t *testing.T, files map[string]string) string {
	t.Helper()
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "logs"), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(data, "logs", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestLogs_PrintsAllFilesTheOldestFirst(t *testing.T) {
	t.Parallel()
	data := logDir(t, map[string]string{"flush.log": "e\nunfinished", "flush.log.1": "c\nd\n", "flush.log.3": "a\nb\n", "ingest.log": "other\n"})
	got := execute(t.Context(), "", "logs", "flush", "--data", data)
	if want := "a\nb\nc\nd\ne\nunfinished\n"; got.code != exitDone || got.out != want {
		t.Errorf("exit code %d, printed %q, want %q", got.code, got.out, want)
	}
}

func TestLogs_Since_GoesByWhatTheLinesSay(t *testing.T) {
	t.Parallel()
	early := `{"timestamp":"2026-03-01T09:59:59Z","message":"early"}` + "\n  of the early one\n"
	// A function that crashes writes no line of its own.
	early += `{"time":"2026-03-01T09:59:59.999Z","type":"platform.report"}` + "\n"
	late := `{"time":"2026-03-01T10:00:00.000Z","type":"platform.start"}` + "\nRuntime.ExitError\n" + `{"_aws":{"Timestamp":1772359200000},"delivered":1}` + "\n  of the late one\n" +
		`{"timestamp":"2026-03-01T10:00:00.5Z","message":"later","time":"5s"}` + "\n{}\n"
	data := logDir(t, map[string]string{"ingest.log": early + late})
	got := execute(t.Context(), "", "logs", "ingest", "--since", "2026-03-01T10:00:00Z", "--data", data)
	if got.code != exitDone || got.out != late {
		t.Errorf("exit code %d, printed %q, want %q", got.code, got.out, late)
	}
}

func TestLogs_NothingToPrint(t *testing.T) {
	t.Parallel()
	data := logDir(t, nil)
	execute(t.Context(), "", "logs", "replay", "--data", data).want(t, exitFailed, "", "replay.log\nSay with --data")
	execute(t.Context(), "", "logs", "flush", "--data", filepath.Join(data, "none")).want(t, exitFailed, "", "there is no")
	execute(t.Context(), "", "logs", "flush", "--data", "memory").want(t, exitUsage, "", "keeps no logs")
	execute(t.Context(), "", "logs", "dlq").want(t, exitUsage, "", `must be one of "ingest","flush","replay"`)
}

// shared is a buffer that is written and read at the same time.
type shared struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func (s *shared) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Len()
}

func TestLogs_Follow_GoesOnAcrossRotations(t *testing.T) {
	t.Parallel()
	data := logDir(t, map[string]string{"flush.log": "0\n"})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out shared
	done := make(chan int)
	go func() {
		c := &console{in: strings.NewReader(""), out: &out, err: &out, getenv: func(string) string { return "" }}
		done <- run(ctx, []string{"logs", "-f", "flush", "--data", data}, c)
	}()
	log, err := logfile.Open(filepath.Join(data, "logs", "flush.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	// Two lines fill a file, so six rotate it; the follower is not waited for.
	var want strings.Builder
	want.WriteString("0\n")
	for n := range 6 {
		line := fmt.Sprintf("%d %s\n", n+1, strings.Repeat("x", logfile.MaxBytes/2-100))
		if _, err := log.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
		want.WriteString(line)
	}
	deadline := time.Now().Add(30 * time.Second)
	for out.Len() < want.Len() && time.Now().Before(deadline) {
		awaitTick(ctx, 10*time.Millisecond)
	}
	stop()
	if code := <-done; code != exitDone {
		t.Errorf("exit code %d, want %d", code, exitDone)
	}
	if got := out.String(); got != want.String() {
		t.Errorf("printed %d bytes, want %d", len(got), want.Len())
	}
}

// TestTail_ARemovedFile: a reader that is too slow goes on with the oldest file that there is.
func TestTail_ARemovedFile(t *testing.T) {
	t.Parallel()
	data := logDir(t, map[string]string{"flush.log": "new\n", "flush.log.1": "old\n", "flush.log.2": "oldest\n"})
	path := filepath.Join(data, "logs", "flush.log")
	tail, err := openTail(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tail.close()
	if err := os.Remove(path + ".2"); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := tail.read(func(p []byte) { got.Write(p) }); err != nil || got.String() != "oldest\nold\nnew\n" {
		t.Errorf("read %q, %v", got.String(), err)
	}
}
