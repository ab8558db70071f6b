package sdk

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/tests/devtest"
)

const (
	// key is the write key; keyHash what `millrace keys hash` makes of it.
	key     = "phc_demo"
	keyHash = "d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9"
	// events is how many a test sends.
	events = 5000
	// patience bounds the wait for the last event, on a machine with a lot else to do.
	patience = 60 * time.Second
)

// stack is a `millrace dev` with one sink behind it.
type stack struct {
	*devtest.Dev
	sink    *demosink.Server
	arrived chan struct{}
}

func start(t *testing.T) *stack {
	t.Helper()
	s := &stack{arrived: make(chan struct{}, 1)}
	sink, err := demosink.Start("127.0.0.1:0", demosink.New(demosink.Options{Arrived: func(demosink.Arrival) {
		select {
		case s.arrived <- struct{}{}:
		default: // one is enough: the waiter counts for itself
		}
	}}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	s.sink = sink
	config := filepath.Join(t.TempDir(), "millrace.yaml")
	text := fmt.Sprintf(`version: 1
keys: [ { name: sdk, sha256: %s, tenant: acme, receivers: [posthog] } ]
sinks: { http: { type: http, url: %q } }
routes: [ { to: [http] } ]
flush: { max_age: 1s }
`, keyHash, sink.URL())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Dev = devtest.Start(t, devtest.Options{Config: config})
	return s
}

// wantExactly fails the test unless the sink gets the events with these ids and no others.
func (s *stack) wantExactly(t *testing.T, ids []string) {
	t.Helper()
	deadline := time.After(patience)
	for s.sink.Stats().Unique < len(ids) {
		select {
		case <-s.arrived:
		case <-deadline:
			t.Errorf("waited %s", patience)
			s.compare(t, ids)
			return
		}
	}
	s.Stop() // drains: what should not be there has arrived too
	s.compare(t, ids)
}

func (s *stack) compare(t *testing.T, ids []string) {
	t.Helper()
	counts := s.sink.Counts()
	missing := 0
	for _, id := range ids {
		if counts[id] == 0 {
			missing++
		}
		delete(counts, id)
	}
	stats := s.sink.Stats()
	if missing > 0 || len(counts) > 0 || stats.Unnamed > 0 {
		t.Errorf("%d ids are missing, %d are strangers, %d events have none; want exactly the %d ids", missing, len(counts), stats.Unnamed, len(ids))
	}
	t.Logf("%d events in %d requests, %d duplicates", stats.Events, stats.Requests, stats.Duplicates)
}
