package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// What the letters of these tests differ in: forty combinations of sink, class and kind, for two tenants.
var (
	letterSinks   = []string{"one", "two"}
	letterClasses = []string{"transient", "throttled", "too-large", "permanent", "setup"}
	letterKinds   = []string{"event", "log", "metric", "profile"}
	letterTenants = []string{"acme", "other"}
)

// deadLetter is a letter of one event, whose id says what it is.
type deadLetter struct{ id, sink, class, kind, tenant string }

// putLetters puts n letters on the dead-letter queue, as a flush would have.
func (s *stack) putLetters(t *testing.T, n int, change func(*batch.Meta)) []deadLetter {
	t.Helper()
	failed := time.Now().Add(-time.Hour)
	letters, out := make([]deadLetter, n), make([]queue.Outgoing, n)
	for i := range letters {
		l := deadLetter{
			sink: letterSinks[i%2], class: letterClasses[i/2%5], kind: letterKinds[i/10%4], tenant: letterTenants[i/40%2],
		}
		l.id = fmt.Sprintf("%04d-%s-%s-%s-%s", i, l.sink, l.class, l.kind, l.tenant)
		meta := batch.Meta{
			Tenant: l.tenant, Receiver: "generic", First: failed, Last: failed, Sink: l.sink, Attempt: 3,
			Reason: &batch.Reason{Class: l.class, Stop: "attempts exhausted", Status: 503, Attempts: 3, First: failed, Last: failed},
		}
		if change != nil {
			change(&meta)
			l.sink = meta.Sink
		}
		packs, err := batch.Encode(meta, []event.Event{{
			ID: l.id, Source: "test", Type: "order." + l.class, Kind: l.kind, Data: fmt.Appendf(nil, `{"id":%q}`, l.id),
		}})
		if err != nil {
			t.Fatal(err)
		}
		letters[i], out[i].Message = l, packs[0]
	}
	client := sqs.New(sqs.Options{
		BaseEndpoint: &s.AWS, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: awsconn.KeepConnections(http.DefaultClient),
	})
	if err := queue.New(client, s.DLQURL).Send(t.Context(), out...); err != nil {
		t.Fatal(err)
	}
	return letters
}

// idsOf are the ids of the letters that fit, sorted.
func idsOf(letters []deadLetter, fits func(deadLetter) bool) []string {
	var ids []string
	for _, l := range letters {
		if fits(l) {
			ids = append(ids, l.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// delivered are the ids that a sink has, sorted.
func delivered(sink *demosink.Server) []string {
	var ids []string
	for id := range sink.Counts() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// invokeReplay calls the function as an AWS SDK would; kind is RequestResponse or Event.
func (s *stack) invokeReplay(ctx context.Context, kind, payload string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.AWS+"/2015-03-31/functions/millrace-replay/invocations", strings.NewReader(payload))
	if err != nil {
		return 0, err
	}
	request.Header.Set("X-Amz-Invocation-Type", kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// The dry run tells exactly what the run does, by every kind of filter; what is not meant stays.
func TestReplay_ManyLetters_DryRunAndRunAgree(t *testing.T) {
	t.Parallel()
	s := start(t, knobs{})
	letters := s.putLetters(t, 10000, nil)
	if all := s.replay(t, "--dry-run"); all.Replayed != 10000 || len(all.Counts) != 40 {
		t.Fatalf("a dry run of everything counts %d letters in %d groups, want 10000 in 40", all.Replayed, len(all.Counts))
	}
	meant := func(deadLetter) bool { return false }
	for _, step := range []struct {
		args []string
		fits func(deadLetter) bool
	}{
		{[]string{"--sink", "two", "--class", "transient", "--tenant", "acme"}, func(l deadLetter) bool {
			return l.sink == "two" && l.class == "transient" && l.tenant == "acme"
		}},
		{[]string{"--kind", "log"}, func(l deadLetter) bool { return l.kind == "log" }},
		{[]string{"--type", "*.s*p", "--since", "2h"}, func(l deadLetter) bool { return l.class == "setup" }},
	} {
		before := meant
		want := len(idsOf(letters, func(l deadLetter) bool { return step.fits(l) && !before(l) }))
		dry := s.replay(t, append([]string{"--dry-run"}, step.args...)...)
		if dry.Replayed != want || want == 0 {
			t.Fatalf("%v: the dry run counts %d letters, want %d", step.args, dry.Replayed, want)
		}
		wet := s.replay(t, step.args...)
		dry.DryRun = false
		if diff := cmp.Diff(dry, wet); diff != "" {
			t.Fatalf("%v (-dry run +run):\n%s", step.args, diff)
		}
		meant = func(l deadLetter) bool { return before(l) || step.fits(l) }
	}
	for name, sink := range map[string]*demosink.Server{"one": s.one, "two": s.two} {
		want := idsOf(letters, func(l deadLetter) bool { return l.sink == name && meant(l) })
		until(t, "sink "+name+" has what was meant", has(sink, want))
		exactly(t, name, sink, want)
	}
	var stats struct{ Letters int }
	if err := json.Unmarshal([]byte(s.millrace(t, "dlq", "stats", "--json")), &stats); err != nil {
		t.Fatal(err)
	}
	if want := len(idsOf(letters, func(l deadLetter) bool { return !meant(l) })); stats.Letters != want {
		t.Errorf("%d letters are left, want %d", stats.Letters, want)
	}
}

// A replay whose process is killed in the middle and started again delivers every letter that is meant, and no other.
func TestReplay_KilledInTheMiddle_NoneIsMissing(t *testing.T) {
	t.Parallel()
	s := start(t, knobs{})
	letters := s.putLetters(t, 10000, nil)
	want := idsOf(letters, func(l deadLetter) bool { return l.sink == "two" })
	ended := make(chan error, 1)
	go func() {
		_, err := s.invokeReplay(t.Context(), "RequestResponse", `{"sink":"two","rate":500,"seconds":3,"hide_seconds":1}`)
		ended <- err
	}()
	until(t, "some letters are replayed", func() bool { return len(delivered(s.two)) > 100 })
	processes := s.functionProcesses(t, "replay")
	for _, pid := range processes {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("kill %d: %v", pid, err)
		}
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := len(delivered(s.two)); len(processes) == 0 || got >= len(want) {
		t.Fatalf("killed %d processes after %d of %d letters: not in the middle", len(processes), got, len(want))
	}
	runs := 0
	until(t, "nothing that is meant is a dead letter", func() bool {
		runs++
		s.replay(t, "--sink", "two", "--hide", "1s")
		return !slices.ContainsFunc(s.contents(t).DeadLetters, func(p pack) bool { return p.Sink == "two" })
	})
	until(t, "the sink has everything", has(s.two, want))
	if diff := cmp.Diff(want, delivered(s.two)); diff != "" {
		t.Errorf("sink two (-want +got):\n%s", diff)
	}
	if got := delivered(s.one); len(got) != 0 {
		t.Errorf("sink one has %d events that nobody meant", len(got))
	}
	t.Logf("%d duplicates after %d more runs", s.two.Stats().Duplicates, runs)
}

// A sink that is still broken gets each letter once per replay: what it refuses is the next generation, and waits.
func TestReplay_StillBroken_IsTheNextGenerationAndNoLoop(t *testing.T) {
	t.Parallel()
	s := start(t, knobs{})
	s.two.Behave(demosink.Behaviour{Status: 400})
	const n = 400
	s.putLetters(t, n, func(m *batch.Meta) { m.Sink, m.Generation = "two", 1 })
	// The rate keeps the run going while its first letters come back.
	if r := s.replay(t, "--rate", "200"); r.Replayed != n {
		t.Fatalf("the replay sent %d letters, want %d once each", r.Replayed, n)
	}
	until(t, "all are dead letters again", func() bool {
		c := s.contents(t)
		return len(c.Queue) == 0 && len(on(c.DeadLetters, "two")) == n
	})
	var listed struct {
		Letters []struct{ Generation, Events int }
	}
	if err := json.Unmarshal([]byte(s.millrace(t, "dlq", "ls", "--json", "--limit", "10000")), &listed); err != nil {
		t.Fatal(err)
	}
	events := 0
	for _, l := range listed.Letters {
		events += l.Events
		if l.Generation != 2 {
			t.Fatalf("a letter has generation %d, want 2", l.Generation)
		}
	}
	if events != n {
		t.Errorf("%d events in dead letters, want %d", events, n)
	}
}

// A run that nobody waits for invokes its function again until it is done.
func TestReplay_Continue_GoesOnByItself(t *testing.T) {
	t.Parallel()
	s := start(t, knobs{})
	letters := s.putLetters(t, 600, nil)
	const request = `{"tenant":"acme","rate":150,"seconds":1,"continue":true,"by":"e2e"}`
	if status, err := s.invokeReplay(t.Context(), "Event", request); err != nil || status != http.StatusAccepted {
		t.Fatalf("invoke: %d, %v", status, err)
	}
	for name, sink := range map[string]*demosink.Server{"one": s.one, "two": s.two} {
		want := idsOf(letters, func(l deadLetter) bool { return l.sink == name && l.tenant == "acme" })
		until(t, "sink "+name+" has what was meant", has(sink, want))
		exactly(t, name, sink, want)
	}
}
