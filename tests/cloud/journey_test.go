package cloud

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"github.com/millrace-dev/millrace/internal/demosink"
)

// How long things may take. Emulators are slow when the machine is busy; nobody waits this
// long when all is well.
const (
	deliveryWait = 60 * time.Second
	drainWait    = 150 * time.Second // schedules have a resolution of a minute
	poisonWait   = 120 * time.Second // a flush may still take it once, and hide it
	logWait      = 30 * time.Second
	updateWait   = 150 * time.Second // a drain that an update kills hides its packs for a minute
)

// journey is what the steps share. The steps are run in order, by name, so that a report
// reads like the story; a step that fails ends the journey.
type journey struct {
	*stack

	healthy, sick *sink
	stepBegan     time.Time
}

func TestCloud(t *testing.T) { //nolint:paralleltest // it is the only one, and its steps are in order
	if _, known := differences()[*targetName]; !known {
		t.Fatalf("-target %q is unknown: make ministack-test starts an emulator and names it", *targetName)
	}
	j := &journey{healthy: startSink(t), sick: startSink(t)}
	j.stack = newStack(t, j.healthy.url, j.sick.url)
	for _, step := range steps() {
		j.stepBegan = time.Now()
		if !t.Run(step.name, func(t *testing.T) { step.run(j, t) }) {
			break
		}
	}
	j.note(t, "whole journey", j.began)
	fmt.Fprintf(os.Stdout, "%s: %v\n", *targetName, j.figures)
}

// step is one part of the journey.
type step struct {
	name string
	run  func(*journey, *testing.T)
}

// steps are the parts of the journey, in order. Where IAM is enforced, proofs that the
// grants are needed take the place of what has to do with no function's role, or is the
// same call as in another step.
func steps() []step {
	first := []step{
		{"bootstrap and deploy", (*journey).deployFirst},
		{"events of SDKs arrive", (*journey).sendEvents},
		{"a repeated request is delivered once", (*journey).repeat},
		{"a sick sink gets its events by replay", (*journey).replayLetters},
		{"an event larger than a message arrives", (*journey).large},
	}
	then := []step{
		{"poison ends among the dead letters", (*journey).poison},
		{"a schedule drains the queue", (*journey).drain},
		{"an update loses nothing", (*journey).update},
	}
	if *enforceIAM {
		then = []step{
			{"no call was denied", (*journey).wantNoDenial},
			{"each grant is needed", (*journey).needGrants},
			{"calls are what is allowed", (*journey).compareCalls},
		}
	}
	return slices.Concat(first, then, []step{{"destruction leaves nothing", (*journey).destroy}})
}

// sink is a destination that also remembers the credentials it was shown.
type sink struct {
	*demosink.Sink

	url string

	mutex         sync.Mutex
	authorization string
}

func startSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{Sink: demosink.New(demosink.Options{})}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/in"
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	s.authorization = r.Header.Get("Authorization")
	s.mutex.Unlock()
	s.Sink.ServeHTTP(w, r)
}

func (s *sink) credentials() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.authorization
}

func (j *journey) deployFirst(t *testing.T) {
	began := time.Now()
	if *endpoint != "" {
		j.cdk(t, "bootstrap", "aws://000000000000/"+region())
		j.note(t, "bootstrap", began)
	}
	began = time.Now()
	j.deploy(t)
	j.note(t, "deploy", began)
	began = time.Now()
	id := j.post(t, "first")
	j.wantDelivered(t, j.healthy, id)
	j.note(t, "first event", began)
	if got, want := j.healthy.credentials(), "Bearer "+parameterValue+" "+secretValue; got != want {
		t.Errorf("the sink was shown %q, want the values of the references, %q", got, want)
	}
}

// repeat sends a request again when the environment that delivered it is gone, as an SDK
// does whose reply was lost.
func (j *journey) repeat(t *testing.T) {
	if differs(t, sharedTable) {
		return
	}
	ids := []string{uuid.NewString(), uuid.NewString(), uuid.NewString()}
	body := fmt.Appendf(nil, `[{"id":%q,"type":"a"},{"id":%q,"type":"b"},{"id":%q,"type":"c"}]`, ids[0], ids[1], ids[2])
	for range 2 {
		if status, reply := j.send(t, body, key, ""); status/100 != 2 {
			t.Fatalf("status %d %s", status, reply)
		}
		j.wantDelivered(t, j.healthy, ids...)
		j.wantDepth(t, j.queueURL, 0)
		j.replaceEnvironments(t, j.flush)
	}
	j.wantLogged(t, j.flush, j.stepBegan, `"deduped":3`) // the books show it
	for _, id := range ids {
		if n := j.healthy.Counts()[id]; n != 1 {
			t.Errorf("%s arrived %d times, want once", id, n)
		}
	}
}

func (j *journey) replayLetters(t *testing.T) {
	j.sick.Behave(demosink.Behaviour{Status: 400})
	ids := []string{j.post(t, "sick one"), j.post(t, "sick two")}
	j.wantDelivered(t, j.healthy, ids...) // a sick sink hurts nobody else
	j.wantDepth(t, j.letterURL, len(ids))
	if status := j.millrace(t, "status", "--stack", stackName); !strings.Contains(status, "2 letters") {
		t.Errorf("millrace status says %s, want 2 letters", status)
	}
	j.sick.Behave(demosink.Behaviour{})
	t.Log(j.millrace(t, "replay", "--stack", stackName, "--sink", "sick"))
	j.wantDelivered(t, j.sick, ids...)
	j.wantDepth(t, j.letterURL, 0)
	for _, id := range ids {
		if n := j.healthy.Counts()[id]; n != 1 {
			t.Errorf("%s arrived %d times at the healthy sink, want once: a replay is for the sink that failed", id, n)
		}
	}
}

// poison receives a message again and again without deleting it, as functions do that die of it,
// until the redrive policy of the stack makes it a dead letter. The mapping is off meanwhile: the
// flush would let what it cannot settle come back after ever longer waits, 80 minutes in all.
func (j *journey) poison(t *testing.T) {
	mapping := j.mapping(t)
	j.enableMapping(t, mapping, false)
	defer j.enableMapping(t, mapping, true)
	began := time.Now()
	_, err := j.queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &j.queueURL, MessageBody: aws.String(`{"v":99}`)})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, poisonWait, "the poison is a dead letter", func(ctx context.Context) (string, bool) {
		received, err := j.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &j.queueURL, VisibilityTimeout: 1})
		if err != nil {
			return err.Error(), false
		}
		n := j.depth(ctx, t, j.letterURL)
		return fmt.Sprintf("received %d, %d dead letters", len(received.Messages), n), n == 1
	})
	j.note(t, "poison dead-lettered", began)
	if _, err := j.queues.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &j.letterURL}); err != nil {
		t.Fatal(err)
	}
}

// drain stops the event-source mapping, so that only the schedule can deliver.
func (j *journey) drain(t *testing.T) {
	differs(t, drainSchedules) // a rule has its place there, with the same result
	mapping := j.mapping(t)
	j.enableMapping(t, mapping, false)
	defer j.enableMapping(t, mapping, true)
	began := time.Now()
	id := j.post(t, "drained")
	eventually(t, drainWait, "the event is drained", func(context.Context) (string, bool) {
		return fmt.Sprint(j.healthy.Stats()), j.healthy.Counts()[id] > 0
	})
	j.note(t, "scheduled drain", began)
}

func (j *journey) mapping(t *testing.T) string {
	t.Helper()
	out, err := j.lambdas.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{FunctionName: &j.flush})
	if err != nil || len(out.EventSourceMappings) != 1 {
		t.Fatalf("mappings of %s: %v, %v", j.flush, out, err)
	}
	return aws.ToString(out.EventSourceMappings[0].UUID)
}

// enableMapping returns when the mapping is in the wanted state.
func (j *journey) enableMapping(t *testing.T, mapping string, enabled bool) {
	t.Helper()
	if _, err := j.lambdas.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: &mapping, Enabled: &enabled}); err != nil {
		t.Fatal(err)
	}
	want := map[bool]string{true: "Enabled", false: "Disabled"}[enabled]
	eventually(t, deliveryWait, "the mapping is "+want, func(ctx context.Context) (string, bool) {
		out, err := j.lambdas.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &mapping})
		if err != nil {
			return err.Error(), false
		}
		return aws.ToString(out.State), aws.ToString(out.State) == want
	})
}
