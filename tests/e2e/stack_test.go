package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/tests/devtest"
)

// stack is a running `millrace dev` with two sinks, "one" and "two", behind it.
type stack struct {
	*devtest.Dev
	one, two *demosink.Server
}

// knobs are the lines of the configuration and the flags that tests differ in.
type knobs struct {
	retry string
	flush string
	args  []string
	// arrived is told of what sink one is sent.
	arrived func(demosink.Arrival)
}

func start(t *testing.T, k knobs) *stack {
	t.Helper()
	s := &stack{one: startSinkWith(t, demosink.Options{Arrived: k.arrived}), two: startSink(t)}
	path := filepath.Join(t.TempDir(), "millrace.yaml")
	text := fmt.Sprintf(`version: 1
keys:
  - { name: web, sha256: "d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9", tenant: acme } # phc_demo
sinks:
  one: { type: http, url: "%s", timeout: 2s }
  two: { type: http, url: "%s", timeout: 2s }
routes:
  - { to: [one, two] }
flush: { max_events: 100, max_age: %s }
retry: %s
`, s.one.URL(), s.two.URL(), or(k.flush, "0s"), or(k.retry, "{}"))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Dev = devtest.Start(t, devtest.Options{Config: path, Args: append([]string{"--drain", "100ms"}, k.args...)})
	return s
}

func startSink(t *testing.T) *demosink.Server {
	t.Helper()
	return startSinkWith(t, demosink.Options{})
}

func startSinkWith(t *testing.T, o demosink.Options) *demosink.Server {
	t.Helper()
	server, err := demosink.Start("127.0.0.1:0", demosink.New(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// send posts events through the API and returns their ids once they are accepted. A
// request that is answered 503 is sent again, as an SDK would.
func (s *stack) send(t *testing.T, name string, n int) []string {
	t.Helper()
	ids := make([]string, n)
	var body bytes.Buffer
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%04d", name, i)
		fmt.Fprintf(&body, `{"id":%q,"type":"order","data":{"n":%d}}`+"\n", ids[i], i)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		status, reply := post(t, s.API+"/v1/ingest", body.Bytes())
		if status/100 == 2 {
			return ids
		}
		if status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("POST /v1/ingest: %d %s", status, reply)
		}
	}
}

func post(t *testing.T, url string, body []byte) (status int, reply string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer phc_demo")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text.String()
}

// pack is a message on one of the queues.
type pack struct {
	Pack, Sink string
	IDs        []string
}

// contents are both queues, the main one looked at first.
type contents struct {
	Queue       []pack `json:"queue"`
	DeadLetters []pack `json:"dead_letters"`
}

func (s *stack) contents(t *testing.T) contents {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.AWS+"/_millrace/contents", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var c contents
	if err := json.NewDecoder(response.Body).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// on returns the ids among packs that concern a sink.
func on(packs []pack, sink string) map[string]bool {
	ids := make(map[string]bool)
	for _, p := range packs {
		if p.Sink == "" || p.Sink == sink {
			for _, id := range p.IDs {
				ids[id] = true
			}
		}
	}
	return ids
}

// balanced fails unless every accepted event is in flight, a dead letter or delivered,
// for one sink. The places are looked at in the order in which an event moves through
// them, so that none slips past.
func (s *stack) balanced(t *testing.T, sinkName string, sink *demosink.Server, accepted []string) {
	t.Helper()
	c := s.contents(t)
	inFlight, letters, delivered := on(c.Queue, sinkName), on(c.DeadLetters, sinkName), sink.Counts()
	var lost []string
	for _, id := range accepted {
		if !inFlight[id] && !letters[id] && delivered[id] == 0 {
			lost = append(lost, id)
		}
	}
	if len(lost) > 0 {
		t.Fatalf("sink %s: %d of %d accepted events are nowhere: %v", sinkName, len(lost), len(accepted), lost[:min(10, len(lost))])
	}
}

// until waits for a condition. It looks often: nothing here waits for a fixed time.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(90 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}

func has(sink *demosink.Server, ids []string) func() bool {
	return func() bool {
		counts := sink.Counts()
		return !slices.ContainsFunc(ids, func(id string) bool { return counts[id] == 0 })
	}
}

// exactly fails unless the sink has each id once and nothing else.
func exactly(t *testing.T, name string, sink *demosink.Server, ids []string) {
	t.Helper()
	counts := sink.Counts()
	for _, id := range ids {
		if counts[id] != 1 {
			t.Errorf("sink %s has %s %d times, want once", name, id, counts[id])
		}
		delete(counts, id)
	}
	if len(counts) > 0 {
		t.Errorf("sink %s has %d events that nobody sent", name, len(counts))
	}
}

// millrace runs a command of bin/millrace against the stack and returns its output.
func (s *stack) millrace(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(devtest.Root(t), "bin", "millrace"), append(args, "--aws", s.AWS)...)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("millrace %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}
