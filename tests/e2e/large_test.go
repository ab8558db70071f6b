package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/internal/devstack"
)

// largeEvent is an event of three megabytes that does not compress below the size of a message.
func largeEvent(id string) string {
	random := make([]byte, 3<<19)
	_, _ = rand.NewChaCha8([32]byte{byte(len(id))}).Read(random)
	return fmt.Sprintf(`{"id":%q,"type":"order","data":{"noise":"%x"}}`, id, random)
}

// s3 calls the embedded S3, which does not look at signatures.
func (s *stack) s3(t *testing.T, method, path string, body []byte) (status int, reply []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.AWS+"/"+devstack.ClaimBucket+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if reply, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, reply
}

// must calls the embedded S3 and fails unless it answers well.
func (s *stack) must(t *testing.T, method, path string, body []byte) []byte {
	t.Helper()
	status, reply := s.s3(t, method, path, body)
	if status/100 != 2 {
		t.Fatalf("S3 %s %s: %d %s", method, path, status, reply)
	}
	return reply
}

// object is the path of the one object in the bucket.
func (s *stack) object(t *testing.T) string {
	t.Helper()
	list := string(s.must(t, http.MethodGet, "?list-type=2", nil))
	_, rest, _ := strings.Cut(list, "<Key>")
	key, _, found := strings.Cut(rest, "</Key>")
	if !found || strings.Count(list, "<Key>") != 1 || !strings.HasPrefix(key, "packs/acme/") {
		t.Fatalf("the bucket lists %s, want one object below packs/acme/", list)
	}
	return "/" + key
}

// accepted posts one event and fails unless it is taken.
func (s *stack) accepted(t *testing.T, event string) {
	t.Helper()
	if status, reply := post(t, s.API+"/v1/ingest", []byte(event)); status/100 != 2 {
		t.Fatalf("POST /v1/ingest: %d %s", status, reply)
	}
}

// startLarge is start, with a buffer for what sink one takes, and messages that come back soon.
func startLarge(t *testing.T) (*stack, *arrivals) {
	t.Helper()
	got := &arrivals{}
	s := start(t, knobs{retry: "{ max_inline_wait: 0s, max_attempts: 3 }", args: []string{"--flush-timeout", "3s", "--visibility", "3s"}, arrived: got.note})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the flush:\n%.4000s", s.flushLog())
		}
	})
	return s, got
}

func (s *stack) flushLog() []byte {
	log, _ := os.ReadFile(filepath.Join(s.Dir, "data", "logs", "flush.log")) // not there before the first flush
	return log
}

// arrivals are the events that a sink took, by id; calls of note do not overlap, and nobody reads before an event is counted.
type arrivals struct{ byID map[string]string }

func (a *arrivals) note(request demosink.Arrival) {
	if a.byID == nil {
		a.byID = make(map[string]string)
	}
	for _, record := range request.Records[:request.Taken] {
		var event struct{ Data json.RawMessage } // the original, within the sink's envelope
		_ = json.Unmarshal(record.JSON, &event)  // what cannot be read is missed
		a.byID[record.ID] = string(event.Data)
	}
}

// residue tells whether sink two has an event and the queue holds it for sink one alone.
func (s *stack) residue(t *testing.T, id string) func() bool {
	t.Helper()
	return func() bool {
		packs := slices.DeleteFunc(s.contents(t).Queue, func(p pack) bool { return p.Sink != "one" })
		return has(s.two, []string{id})() && on(packs, "one")[id]
	}
}

// The whole way of an event that no message holds, among others that one does: API, bucket and queue, flush, sink.
func TestLarge_Event_ArrivesByteForByte(t *testing.T) {
	t.Parallel()
	s, got := startLarge(t)
	large := largeEvent("large")
	s.accepted(t, `{"id":"small-1","type":"order","data":{}}`+"\n"+large+"\n"+`{"id":"small-2","type":"order","data":{}}`)
	ids := []string{"small-1", "large", "small-2"}
	until(t, "both sinks have everything", func() bool { return has(s.one, ids)() && has(s.two, ids)() })
	if got.byID["large"] != large {
		t.Errorf("sink has %d bytes, want the %d that were sent", len(got.byID["large"]), len(large))
	}
	exactly(t, "one", s.one, ids)
	exactly(t, "two", s.two, ids)
	s.object(t) // stays until the bucket's lifecycle rule removes it
}

// What is over the limit of an event comes in with compression only: Lambda's own limit is below it. It is refused with the limit
// named, and its neighbours are taken; one that compresses needs no bucket.
func TestLarge_EventOverTheLimit_IsRefusedAlone(t *testing.T) {
	t.Parallel()
	s, got := startLarge(t)
	event := func(id string, size int) string {
		return `{"id":"` + id + `","type":"order","data":"` + strings.Repeat("x", size) + `"}`
	}
	var body bytes.Buffer
	zipped := gzip.NewWriter(&body)
	_, _ = io.WriteString(zipped, event("over", 6<<20)+"\n"+event("below", 6<<20-1000)+"\n"+event("small", 10))
	_ = zipped.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.API+"/v1/ingest", &body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer phc_demo")
	request.Header.Set("Content-Encoding", "gzip")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	reply, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 || !bytes.Contains(reply, []byte("over the limit of 6291456 bytes for one event")) {
		t.Fatalf("%d %s, %v; want a 2xx that names the limit", response.StatusCode, reply, err)
	}
	until(t, "the others have arrived", has(s.one, []string{"below", "small"}))
	if got.byID["below"] != event("below", 6<<20-1000) {
		t.Errorf("sink has %d bytes of the event just below the limit", len(got.byID["below"]))
	}
	exactly(t, "one", s.one, []string{"below", "small"})
	if list := s.must(t, http.MethodGet, "?list-type=2", nil); bytes.Contains(list, []byte("<Key>")) {
		t.Errorf("the bucket lists %s, want nothing", list)
	}
}

// A sink in trouble makes a residue, then a dead letter, which a replay delivers; the object is claimed by each in turn.
func TestLarge_Event_SinkBroken_DeadLetterIsReplayed(t *testing.T) {
	t.Parallel()
	s, got := startLarge(t)
	s.one.Behave(demosink.Behaviour{Status: 503})
	large := largeEvent("large")
	s.accepted(t, large)
	until(t, "the event is a dead letter", func() bool { return on(s.contents(t).DeadLetters, "one")["large"] })
	until(t, "the healthy sink has it", has(s.two, []string{"large"}))
	path := s.object(t)
	var list struct{ Letters []struct{ ID, Claim string } }
	if err := json.Unmarshal([]byte(s.millrace(t, "dlq", "ls", "--json")), &list); err != nil || len(list.Letters) != 1 || "/"+list.Letters[0].Claim != path {
		t.Fatalf("dlq ls lists %+v, %v, want one letter with the claim %s", list, err, path)
	}
	if shown := s.millrace(t, "dlq", "show", list.Letters[0].ID, "--events"); !strings.Contains(shown, large) {
		t.Errorf("dlq show prints %d bytes without the event", len(shown))
	}
	s.one.Behave(demosink.Behaviour{})
	if r := s.replay(t, "--sink", "one"); r.Replayed != 1 {
		t.Fatalf("replay: %+v, want the letter", r)
	}
	until(t, "the replayed event has arrived", has(s.one, []string{"large"}))
	if got.byID["large"] != large {
		t.Errorf("sink has %d bytes, want the %d that were sent", len(got.byID["large"]), len(large))
	}
	exactly(t, "two", s.two, []string{"large"})
}

// Without its bucket a large event is not accepted, and what was accepted before waits on the queue until the bucket is back.
func TestLarge_BucketAway_NothingIsLost(t *testing.T) {
	t.Parallel()
	s, got := startLarge(t)
	s.one.Behave(demosink.Behaviour{Status: 503, RetryAfter: 5 * time.Second})
	large := largeEvent("waiting")
	s.accepted(t, large)
	until(t, "it waits for its sink", s.residue(t, "waiting"))
	path := s.object(t)
	object := s.must(t, http.MethodGet, path, nil)
	s.must(t, http.MethodDelete, path, nil)
	s.must(t, http.MethodDelete, "", nil)
	s.one.Behave(demosink.Behaviour{})
	if status, reply := post(t, s.API+"/v1/ingest", []byte(largeEvent("refused"))); status != http.StatusServiceUnavailable {
		t.Errorf("POST without a bucket: %d %s, want 503", status, reply)
	}
	until(t, "a flush has missed the bucket", func() bool { return bytes.Contains(s.flushLog(), []byte("NoSuchBucket")) })
	if len(s.one.Counts()) != 0 {
		t.Error("the sink has an event whose bytes were away")
	}
	s.must(t, http.MethodPut, "", nil)
	s.must(t, http.MethodPut, path, object)
	until(t, "the event has arrived", has(s.one, []string{"waiting"}))
	if got.byID["waiting"] != large {
		t.Errorf("sink has %d bytes, want the %d that were sent", len(got.byID["waiting"]), len(large))
	}
	s.accepted(t, largeEvent("refused"))
	until(t, "what was refused is taken now", func() bool { return has(s.one, []string{"refused"})() && has(s.two, []string{"refused"})() })
	exactly(t, "two", s.two, []string{"waiting", "refused"})
}

// An object that is gone makes a dead letter that says so, and that can be replayed when somebody has restored it.
func TestLarge_ObjectMissing_LetterWaitsForIt(t *testing.T) {
	t.Parallel()
	s, got := startLarge(t)
	s.one.Behave(demosink.Behaviour{Status: 503, RetryAfter: 5 * time.Second})
	large := largeEvent("large")
	s.accepted(t, large)
	until(t, "it waits for its sink", s.residue(t, "large"))
	path := s.object(t)
	object := s.must(t, http.MethodGet, path, nil)
	s.must(t, http.MethodDelete, path, nil)
	s.one.Behave(demosink.Behaviour{})
	until(t, "it is a dead letter", func() bool { return len(s.contents(t).DeadLetters) == 1 })
	listed := s.millrace(t, "dlq", "ls", "--json")
	for _, want := range []string{`"events missing"`, `"sink":"one"`, strings.TrimPrefix(path, "/")} {
		if !strings.Contains(listed, want) {
			t.Errorf("dlq ls says %s, want %s in it", listed, want)
		}
	}
	if r := s.replay(t); r.Replayed != 0 {
		t.Errorf("replay without the object: %+v, want the letter to stay", r)
	}
	s.must(t, http.MethodPut, path, object)
	if r := s.replay(t); r.Replayed != 1 {
		t.Errorf("replay with the object: %+v, want the letter", r)
	}
	until(t, "it has arrived", has(s.one, []string{"large"}))
	if got.byID["large"] != large {
		t.Errorf("sink has %d bytes, want the %d that were sent", len(got.byID["large"]), len(large))
	}
}
