package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// newSQS serves an embedded SQS with the two queues, and whatever extra says.
func newSQS(t *testing.T, extra http.Handler) (endpoint string, service *sqs.Service) {
	t.Helper()
	service = sqs.New(sqs.Options{})
	for _, name := range []string{devstack.MainQueue, devstack.LetterQueue} {
		if _, err := service.CreateQueue(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && extra != nil {
			extra.ServeHTTP(w, r)
			return
		}
		service.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		service.Close()
	})
	return server.URL, service
}

// put puts a pack of n events on the queue of dead letters and returns its id.
func put(t *testing.T, service *sqs.Service, meta batch.Meta, n int) string {
	t.Helper()
	events := make([]event.Event, n)
	for i := range events {
		id := fmt.Sprintf("%s-%d", meta.Sink, i)
		events[i] = event.Event{ID: id, Source: "web", Type: "signup", Kind: "event", Data: fmt.Appendf(nil, `{"id":%q}`, id)}
	}
	messages, err := batch.Encode(meta, events)
	if err != nil || len(messages) != 1 {
		t.Fatalf("encode: %d messages, %v", len(messages), err)
	}
	_, err = service.Send(t.Context(), devstack.LetterQueue, sqs.SendInput{
		Body:       messages[0].Body,
		Attributes: map[string]sqs.Attribute{batch.AttributeName: {DataType: "Binary", BinaryValue: messages[0].Events}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages[0].Header.ID
}

var failedAt = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func refusedBy(sink, class string, status int) batch.Meta {
	return batch.Meta{
		Tenant: "acme", Receiver: "generic", First: failedAt.Add(-time.Hour), Last: failedAt.Add(-time.Hour), Sink: sink,
		Reason: &batch.Reason{
			Class: class, Stop: "attempts exhausted", Status: status, Cause: "upstream said\nno", Attempts: 3,
			First: failedAt.Add(-time.Minute), Last: failedAt,
		},
	}
}

func crashedPack() batch.Meta {
	return batch.Meta{Tenant: "acme", Receiver: "generic", First: failedAt, Last: failedAt}
}

// fill puts four letters of all sorts on the queue and returns their ids by what they are.
func fill(t *testing.T, service *sqs.Service) map[string]string {
	t.Helper()
	ids := map[string]string{
		"down":    put(t, service, refusedBy("warehouse", "transient", 503), 3),
		"bad":     put(t, service, refusedBy("archive", "permanent", 400), 1),
		"crashed": put(t, service, crashedPack(), 2),
	}
	id, err := service.Send(t.Context(), devstack.LetterQueue, sqs.SendInput{Body: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	ids["noise"] = id
	return ids
}

// waiting says how many letters can be received.
func waiting(t *testing.T, service *sqs.Service) int {
	t.Helper()
	depth, err := service.Depth(devstack.LetterQueue)
	if err != nil {
		t.Fatal(err)
	}
	return depth.Visible
}

func TestDLQLs_FiltersAndPutsBack(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	ids := fill(t, service)
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"all", nil, []string{"bad", "crashed", "down", "noise"}},
		{"of a sink", []string{"--sink", "warehouse"}, []string{"down"}},
		{"of no sink", []string{"--sink", "*"}, []string{"crashed"}},
		{"of a class", []string{"--class", "crashed"}, []string{"crashed"}},
		{"of a status", []string{"--status", "400"}, []string{"bad"}},
		{"of another tenant", []string{"--tenant", "other"}, []string{}},
		{"since a time", []string{"--since", "2026-03-01T10:00:00Z", "--class", "transient"}, []string{"down"}},
		{"until a time", []string{"--until", "2026-03-01T10:00:00Z"}, []string{}},
	}
	// One after the other: a look hides letters from the others.
	for _, test := range tests {
		var got struct {
			Letters []letterLine
			More    bool
		}
		execute(t.Context(), "", append([]string{"dlq", "ls", "--json", "--aws", endpoint}, test.args...)...).decode(t, &got)
		listed := []string{}
		for what, id := range ids {
			for _, line := range got.Letters {
				if line.ID == id {
					listed = append(listed, what)
				}
			}
		}
		slices.Sort(listed)
		if diff := cmp.Diff(test.want, listed); diff != "" || got.More {
			t.Errorf("%s: more %v, letters (-want +got):\n%s", test.name, got.More, diff)
		}
		if left := waiting(t, service); left != len(ids) {
			t.Fatalf("%s: %d letters can be received, want all %d back", test.name, left, len(ids))
		}
	}
}

func TestDLQLs_TellsEveryFact(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	id := put(t, service, refusedBy("warehouse", "transient", 503), 3)
	var got struct{ Letters []letterLine }
	execute(t.Context(), "", "dlq", "ls", "--json", "--aws", endpoint).decode(t, &got)
	want := letterLine{
		ID: id, Sink: "warehouse", Class: "transient", Status: 503, Stop: "attempts exhausted", Cause: "upstream said\nno",
		Attempts: 3, Events: 3, Tenant: "acme", Receiver: "generic", Kinds: []string{"event"},
		First: failedAt.Add(-time.Minute), Last: failedAt, MessageID: got.Letters[0].MessageID, Sent: got.Letters[0].Sent,
	}
	if diff := cmp.Diff(want, got.Letters[0]); diff != "" || want.MessageID == "" || want.Sent.IsZero() {
		t.Errorf("letter (-want +got):\n%s", diff)
	}
	execute(t.Context(), "", "dlq", "ls", "--aws", endpoint).want(t, exitDone, "upstream said no", "")
}

func TestDLQLs_Limit(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	for n := range 25 {
		put(t, service, refusedBy(fmt.Sprintf("s%d", n), "transient", 503), 1)
	}
	for limit, more := range map[int]bool{24: true, 25: false} {
		var got struct {
			Letters []letterLine
			More    bool
		}
		execute(t.Context(), "", "dlq", "ls", "--json", "--limit", fmt.Sprint(limit), "--aws", endpoint).decode(t, &got)
		if len(got.Letters) != limit || got.More != more {
			t.Errorf("limit %d: %d letters, more %v, want %v", limit, len(got.Letters), got.More, more)
		}
	}
	execute(t.Context(), "", "dlq", "ls", "--limit", "24", "--aws", endpoint).want(t, exitDone, "there are more", "")
	execute(t.Context(), "", "dlq", "ls", "--limit", "0", "--aws", endpoint).want(t, exitUsage, "", "--limit")
}

func TestDLQLs_Empty(t *testing.T) {
	t.Parallel()
	endpoint, _ := newSQS(t, nil)
	execute(t.Context(), "", "dlq", "ls", "--aws", endpoint).want(t, exitDone, "no dead letters", "")
	execute(t.Context(), "", "dlq", "ls", "--json", "--aws", endpoint).want(t, exitDone, `{"letters":[],"more":false}`, "")
	execute(t.Context(), "", "dlq", "ls", "--aws", endpoint, "--queue", "none").want(t, exitFailed, "", "find queue none")
}

func TestDLQStats(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	fill(t, service)
	put(t, service, refusedBy("warehouse", "transient", 500), 4)
	var got struct {
		Letters, Events int
		Counts          []letterCount
	}
	execute(t.Context(), "", "dlq", "stats", "--json", "--aws", endpoint).decode(t, &got)
	want := []letterCount{
		{letterGroup{"*", "crashed", "event"}, 1, 2},
		{letterGroup{"*", "unreadable", ""}, 1, 0},
		{letterGroup{"archive", "permanent", "event"}, 1, 1},
		{letterGroup{"warehouse", "transient", "event"}, 2, 7},
	}
	if !slices.Equal(want, got.Counts) || got.Letters != 5 || got.Events != 10 {
		t.Errorf("%d letters, %d events, counts %v; want 5, 10 and %v", got.Letters, got.Events, got.Counts, want)
	}
	people := execute(t.Context(), "", "dlq", "stats", "--aws", endpoint)
	people.want(t, exitDone, "5 letters, 10 events", "")
	people.want(t, exitDone, "warehouse  transient", "")
	execute(t.Context(), "", "dlq", "stats", "--sink", "x", "--aws", endpoint).want(t, exitDone, "0 letters", "")
}

func TestDLQShow_TellsTheStory(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	ids := fill(t, service)
	replayed := refusedBy("slow", "throttled", 0)
	replayed.Generation, replayed.Trace, replayed.Reason.Attempts, replayed.Reason.First = 2, "trace-1", 0, failedAt
	ids["replayed"] = put(t, service, replayed, 1)
	person := refusedBy("", "permanent", 0)
	person.Reason.Stop = "refused at ingest"
	ids["refused"] = put(t, service, person, 1)
	tests := []struct {
		what string
		want []string
	}{
		{"down", []string{"holds 3 events of tenant acme", "Sink warehouse did not take it (transient), the last answer was 503:\n    upstream said\n    no", "3 attempts from ", "attempts exhausted", "millrace replay --sink warehouse --class transient"}},
		{"crashed", []string{"SQS moved it here by itself", "millrace replay --sink '*'"}},
		{"noise", []string{"is no pack", "stays here until a person removes it"}},
		{"replayed", []string{"replayed 2 times before", "Trace: trace-1", "It happened at"}},
		{"refused", []string{"Ingest did not take it", "cannot be sent as it is"}},
	}
	for _, test := range tests {
		got := execute(t.Context(), "", "dlq", "show", ids[test.what][:12], "--aws", endpoint)
		for _, want := range test.want {
			got.want(t, exitDone, want, "")
		}
	}
	execute(t.Context(), "", "dlq", "show", "zzz", "--aws", endpoint).want(t, exitFailed, "", `begins with "zzz"`)
	if left := waiting(t, service); left != len(ids) {
		t.Errorf("%d letters can be received, want all %d back", left, len(ids))
	}
}

func TestDLQShow_Events(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	id := put(t, service, refusedBy("warehouse", "transient", 503), 2)
	execute(t.Context(), "", "dlq", "show", id, "--events", "--aws", endpoint).
		want(t, exitDone, "\n{\"id\":\"warehouse-0\"}\n{\"id\":\"warehouse-1\"}\n", "")
	var got struct {
		ID   string
		Data []json.RawMessage
	}
	execute(t.Context(), "", "dlq", "show", id, "--events", "--json", "--aws", endpoint).decode(t, &got)
	if got.ID != id || len(got.Data) != 2 || string(got.Data[1]) != `{"id":"warehouse-1"}` {
		t.Errorf("got %+v", got)
	}
	noise, err := service.Send(t.Context(), devstack.LetterQueue, sqs.SendInput{Body: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	execute(t.Context(), "", "dlq", "show", noise, "--events", "--aws", endpoint).want(t, exitFailed, "", "not a pack")
}

func TestStatus(t *testing.T) {
	t.Parallel()
	told := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != booksPath {
			t.Errorf("asked for %s, want %s", r.URL.Path, booksPath)
		}
		_, _ = fmt.Fprint(w, `{"ingest":{"received":5,"accepted":3,"refused":1,"unaccounted":1},"sinks":{"http":{"routed":3,"delivered":2,"in_flight":1}}}`)
	})
	endpoint, service := newSQS(t, told)
	fill(t, service)
	var got status
	execute(t.Context(), "", "status", "--json", "--aws", endpoint).decode(t, &got)
	if got.DeadLetters.Visible != 4 || got.Ingest.Received != 5 || got.Sinks["http"].InFlight != 1 {
		t.Errorf("status = %+v", got)
	}
	people := execute(t.Context(), "", "status", "--aws", endpoint)
	for _, want := range []string{
		"received 5  accepted 3  refused 1", "http: routed 3  delivered 2  in flight 1", "4 letters", "1 items at ingest are not accounted for",
		"the queues are too deep",
	} {
		people.want(t, exitDone, want, "")
	}
}

func TestDescribeBalance(t *testing.T) {
	t.Parallel()
	sink := map[string]sinkBooks{"http": {InFlight: 5, Held: 2, Difference: 3}}
	for _, row := range []struct {
		name  string
		given status
		want  string
	}{
		{"all agree", status{Ingest: &ingestBooks{}, Counted: true, Balanced: true, Fresh: 3}, "balance  the books agree with the queues; 3 events waiting for a flush\n"},
		{
			"a flush is running", status{Ingest: &ingestBooks{}, Counted: true, Sinks: sink, Queue: queue.Depth{InFlight: 1}},
			"sink http: 5 in flight by the books, 2 on the queues, difference 3\nbalance  the books differ from the queues; a running flush has not reported yet\n",
		},
		{
			"a flush was killed", status{Ingest: &ingestBooks{Unaccounted: 2}, Counted: true, Sinks: sink},
			"2 items at ingest are not accounted for: an invocation was killed before it could report, or this is a bug\n" +
				"sink http: 5 in flight by the books, 2 on the queues, difference 3\n" +
				"balance  the books differ from the queues: a flush was killed before it could report, or this is a bug; millrace audit says more\n",
		},
	} {
		if got := describeBalance(&row.given); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestDescribeStates_TellsOnlyOfTheSick(t *testing.T) {
	t.Parallel()
	got := describeStates(map[string]sinkState{
		"http": {State: "open", Class: "transient", Cause: "status 503\nagain", Since: failedAt, Until: failedAt.Add(time.Minute)},
		"well": {State: "closed"},
	})
	want := fmt.Sprintf("state    http is open since %s (transient: status 503 again), tried again at %s\n", moment(failedAt), moment(failedAt.Add(time.Minute)))
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHeld_SortsPacksBySinkAndPlace(t *testing.T) {
	t.Parallel()
	h := held{inFlight: map[string]int{}, letters: map[string]int{}}
	residue := &batch.Header{Sink: "http", Count: 2, Reason: &batch.Reason{Class: "transient"}}
	letter := &batch.Header{Sink: "http", Count: 3, Reason: &batch.Reason{Class: "permanent", Stop: "permanent"}}
	fresh := &batch.Header{Count: 5}
	for _, queued := range []*batch.Header{residue, fresh, {Sink: "http", Count: 7}} { // the last was replayed
		h.add(queued, devstack.MainQueue)
	}
	for _, dead := range []*batch.Header{letter, fresh, residue} { // SQS moved the last two by itself
		h.add(dead, devstack.LetterQueue)
	}
	want := held{inFlight: map[string]int{"http": 4}, letters: map[string]int{"http": 3, "*": 5}, fresh: 12}
	if diff := cmp.Diff(want, h, cmp.AllowUnexported(held{})); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	b := newBooks([]ledger.Entry{
		{Key: ledger.Key{Counter: ledger.Routed, Sink: "http"}, Count: 6}, {Key: ledger.Key{Counter: ledger.Delivered, Sink: "http"}, Count: 3},
	}, "http", "archive")
	atStart := &held{inFlight: map[string]int{"http": 1}}
	b.carry(nil)
	b.settle(nil, &h)
	if b.Counted || b.Sinks["http"].Difference != 0 {
		t.Errorf("books %+v: want no comparison, because nobody knows what was there at the start", b)
	}
	b.carry(atStart)
	b.settle(atStart, nil)
	if b.Counted {
		t.Errorf("books %+v: want no comparison, because nobody knows what is there", b)
	}
	b.settle(atStart, &h)
	if got, want := b.Sinks["http"], (sinkBooks{Routed: 6, Delivered: 3, Carried: 1, InFlight: 4, Held: 4, Letters: 3}); got != want || !b.Balanced || b.Fresh != 12 {
		t.Errorf("books %+v, balanced %v, fresh %d; want %+v, balanced, 12 fresh", got, b.Balanced, b.Fresh, want)
	}
	if b.settle(atStart, &held{}); b.Balanced {
		t.Error("books with a difference balance")
	}
}

func TestStatus_WithoutBooks(t *testing.T) {
	t.Parallel()
	endpoint, _ := newSQS(t, http.NotFoundHandler())
	execute(t.Context(), "", "status", "--json", "--aws", endpoint).want(t, exitDone, `"ingest":null`, "")
	execute(t.Context(), "", "status", "--aws", endpoint).want(t, exitDone, "0 packs waiting", "")
	execute(t.Context(), "", "status", "--aws", endpoint, "--dead-letters", "none").want(t, exitFailed, "", "find queue none")
	broken, _ := newSQS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "{") }))
	execute(t.Context(), "", "status", "--aws", broken).want(t, exitFailed, "", "read /_millrace/totals")
}

func TestQueueNamed_TakesURLs(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	fill(t, service)
	url := endpoint + "/000000000000/" + devstack.LetterQueue
	execute(t.Context(), "", "dlq", "stats", "--aws", endpoint, "--queue", url).want(t, exitDone, "4 letters", "")
}
