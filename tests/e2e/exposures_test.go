package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/millrace-dev/millrace/tests/devtest"
)

// Rows A1 and A3 with the real binaries: only evaluations to be logged become exposures, and an
// exposure counts once for each flag and subject, also for an environment that knows nothing but the table.
func TestExposures_AreFilteredAndCountedOnce(t *testing.T) {
	t.Parallel()
	s := &stack{one: startSink(t)}
	path := filepath.Join(t.TempDir(), "millrace.yaml")
	text := fmt.Sprintf(`version: 1
keys:
  - { name: web, sha256: "d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9", tenant: acme } # phc_demo
processors:
  - filter: { match: { type: exposure }, keep_if: { field: doLog, equals: true } }
sinks:
  one: { type: http, url: "%s" }
routes:
  - { to: [one] }
flush: { max_age: 0s }
dedup:
  rules:
    - { match: { type: exposure }, fields: [flag.key, subject.id] }
`, s.one.URL())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Dev = devtest.Start(t, devtest.Options{Config: path, Args: []string{"--drain", "100ms", "--flush-timeout", "1s", "--visibility", "1s"}})

	s.ingest(t, 4,
		`{"id":"dark-u1","type":"exposure","doLog":true,"flag":{"key":"dark"},"subject":{"id":"u1"}}`,
		`{"id":"not-to-be-logged","type":"exposure","doLog":false,"flag":{"key":"dark"},"subject":{"id":"u9"}}`,
		`{"id":"dark-nobody","type":"exposure","doLog":true,"flag":{"key":"dark"}}`,
		`{"id":"page","type":"page"}`)
	s.closed(t, 3) // the flush has also remembered what it delivered
	for _, pid := range s.functionProcesses(t, "flush") {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone already
	}
	s.ingest(t, 3,
		`{"id":"dark-u1-again","type":"exposure","doLog":true,"flag":{"key":"dark"},"subject":{"id":"u1"}}`,
		`{"id":"dark-nobody-again","type":"exposure","doLog":true,"flag":{"key":"dark"},"subject":{"id":""}}`,
		`{"id":"light-u1","type":"exposure","doLog":true,"flag":{"key":"light"},"subject":{"id":"u1"}}`)
	books := s.closed(t, 6)
	exactly(t, "one", s.one, []string{"dark-u1", "dark-nobody", "page", "light-u1"})
	if got := books.Ingest; got["received"] != 7 || got["accepted"] != 6 || got["filtered"] != 1 || got["unaccounted"] != 0 {
		t.Errorf("ingest's books say %v, want 7 received, 6 accepted and 1 filtered", got)
	}
	if got := books.Sinks["one"]; got["delivered"] != 4 || got["deduped"] != 2 {
		t.Errorf("the sink's books say %v, want 4 delivered and 2 deduped", got)
	}
}

// told is what `millrace status` tells.
type told struct {
	Ingest map[string]int
	Sinks  map[string]map[string]int
}

// closed waits until so many events have been routed and none is in flight.
func (s *stack) closed(t *testing.T, routed int) (books told) {
	t.Helper()
	until(t, fmt.Sprintf("the books are closed over %d events", routed), func() bool {
		books = told{}
		if err := json.Unmarshal([]byte(s.millrace(t, "status", "--json")), &books); err != nil {
			t.Fatal(err)
		}
		return books.Sinks["one"]["routed"] == routed && books.Sinks["one"]["in_flight"] == 0
	})
	return books
}

// ingest posts events in one request, of which so many must be accepted.
func (s *stack) ingest(t *testing.T, want int, events ...string) {
	t.Helper()
	status, reply := post(t, s.API+"/v1/ingest", []byte("["+strings.Join(events, ",")+"]"))
	if status != http.StatusOK || reply != fmt.Sprintf("{\"accepted\":%d,\"refused\":[]}\n", want) {
		t.Fatalf("status %d: %s", status, reply)
	}
}
