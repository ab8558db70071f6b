package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
)

// watched is a standard output that a test can wait on.
type watched struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func newWatched() *watched { return &watched{lines: make(chan string, 100)} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	for {
		line, err := w.text.ReadString('\n')
		if err != nil {
			w.text.WriteString(line)
			return len(p), nil
		}
		w.lines <- line
	}
}

func TestSink_TakesCountsAndWrites(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	file := filepath.Join(t.TempDir(), "events.ndjson")
	out, shown := newWatched(), newWatched()
	c := &console{in: strings.NewReader(""), out: out, err: shown, getenv: func(string) string { return "" }}
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"sink", "--listen", "127.0.0.1:0", "--out", file, "--json"}, c) }()
	var ready struct {
		Ready bool
		URL   string
		PID   int
	}
	if err := json.Unmarshal([]byte(<-out.lines), &ready); err != nil || !ready.Ready || ready.PID != os.Getpid() {
		t.Fatalf("ready line %+v, error %v", ready, err)
	}
	post(t, ready.URL, `[{"id":"a"},{"id":"a"},{"id":"b"}]`, http.StatusOK)
	post(t, ready.URL+demosink.ControlPath, `{"status":418}`, http.StatusOK)
	post(t, ready.URL, `{"id":"c"}`, http.StatusTeapot)
	if line := <-shown.lines; !strings.Contains(line, "/ 200 took 3 of 3 events, first a") {
		t.Errorf("shown %q", line)
	}
	if line := <-shown.lines; !strings.Contains(line, "/ 418 took 0 of 1 events, first c") {
		t.Errorf("shown %q", line)
	}
	cancel()
	if got := <-code; got != exitDone {
		t.Errorf("exit code = %d, want 0", got)
	}
	var stats struct{ Requests, Failed, Events, Unique, Duplicates int }
	if err := json.Unmarshal([]byte(<-out.lines), &stats); err != nil {
		t.Fatal(err)
	}
	if stats.Requests != 2 || stats.Failed != 1 || stats.Events != 3 || stats.Unique != 2 || stats.Duplicates != 1 {
		t.Errorf("stats = %+v", stats)
	}
	written, err := os.ReadFile(file)
	if want := "{\"id\":\"a\"}\n{\"id\":\"a\"}\n{\"id\":\"b\"}\n"; err != nil || string(written) != want {
		t.Errorf("file = %q and %v, want %q", written, err, want)
	}
}

func post(t *testing.T, url, body string, status int) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != status {
		t.Errorf("POST %s = %d, want %d", url, response.StatusCode, status)
	}
}

func TestSink_Refuses(t *testing.T) {
	t.Parallel()
	taken, err := demosink.Start("127.0.0.1:0", demosink.New(demosink.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(taken.Close)
	tests := []struct {
		name string
		args []string
		code int
		err  string
	}{
		{"a port in use", []string{"--listen", strings.TrimPrefix(taken.URL(), "http://")}, exitFailed, "has this port"},
		{"a status that is none", []string{"--status", "42"}, exitUsage, "outside 200 to 599"},
		{"a file that cannot be", []string{"--out", filepath.Join(t.TempDir(), "none", "x")}, exitFailed, "sink --out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// A sink that starts all the same would run until the end of the whole suite and say nothing.
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			execute(ctx, "", append([]string{"sink"}, test.args...)...).want(t, test.code, "", test.err)
		})
	}
}

func TestSink_ForPeople(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	execute(ctx, "", "sink", "--listen", "127.0.0.1:0").want(t, exitDone, "0 events in 0 requests", "sink ready at http://127.0.0.1:")
}
