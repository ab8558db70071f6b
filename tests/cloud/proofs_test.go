package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"github.com/millrace-dev/millrace/internal/demosink"
)

// proofs are the shortest things to do that need a grant. Each starts with empty queues and
// returns what went wrong.
func (j *journey) proofs() map[grant]func(*testing.T) error {
	return map[grant]func(*testing.T) error{
		{"ingest", "sqs:SendMessage", "packs"}:   j.acceptEvent,
		{"ingest", "sqs:SendMessage", "letters"}: j.acceptPartOfABatch,

		{"flush", "sqs:ReceiveMessage", "packs"}:                 j.deliver,
		{"flush", "sqs:DeleteMessage", "packs"}:                  j.deliver,
		{"flush", "sqs:SendMessage", "packs"}:                    j.deferEvent,
		{"flush", "sqs:SendMessage", "letters"}:                  j.writeLetter,
		{"flush", "dynamodb:PutItem", "the table"}:               j.deliver,
		{"flush", "dynamodb:BatchGetItem", "the table"}:          j.recogniseRepetition,
		{"flush", "sqs:ChangeMessageVisibility", "packs"}:        j.hideNewer,
		{"flush", "secretsmanager:GetSecretValue", "the secret"}: j.startFlush,
		{"flush", "ssm:GetParameter", "the parameter"}:           j.startFlush,
		{"ingest", "s3:PutObject", "large packs"}:                j.acceptLarge,
		{"flush", "s3:GetObject", "large packs"}:                 j.deliverLarge,
		{"flush", "s3:PutObject", "large packs"}:                 j.deferLarge,
		{"replay", "s3:GetObject", "large packs"}:                j.replayLarge,
		{"replay", "s3:PutObject", "large packs"}:                j.replayLarge,
		{"replay", "sqs:ReceiveMessage", "letters"}:              j.replayLetter,
		{"replay", "sqs:DeleteMessage", "letters"}:               j.replayLetter,
		{"replay", "sqs:SendMessage", "packs"}:                   j.replayLetter,
		{"replay", "sqs:ChangeMessageVisibility", "letters"}:     j.leaveLetter,
		{"replay", "sqs:SendMessage", "letters"}:                 j.replayPartOfALetter,
		{"replay", "lambda:InvokeFunction", "replay"}:            j.goOnReplaying,
	}
}

// attempt runs a proof from a clean start.
func (j *journey) attempt(t *testing.T, proof func(*testing.T) error) error {
	t.Helper()
	for _, queue := range []string{j.queueURL, j.letterURL} {
		if _, err := j.queues.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &queue}); err != nil {
			t.Fatal(err)
		}
	}
	j.sick.Behave(demosink.Behaviour{})
	return proof(t)
}

func (j *journey) acceptEvent(t *testing.T) error {
	t.Helper()
	status, reply := j.send(t, []byte(`{"type":"accepted"}`), key, "")
	return accepted(status, reply)
}

// acceptPartOfABatch sends what PostHog's protocol cannot refuse in part: the bad event
// becomes a dead letter.
func (j *journey) acceptPartOfABatch(t *testing.T) error {
	t.Helper()
	body := fmt.Sprintf(`{"api_key":%q,"batch":[{"event":"good","distinct_id":"a"},{"distinct_id":"nameless"}]}`, key)
	status, reply, err := j.exchangeAt(t.Context(), "/batch/", []byte(body), key, "")
	if err != nil {
		t.Fatal(err)
	}
	return accepted(status, reply)
}

func accepted(status int, reply string) error {
	if status/100 != 2 {
		return fmt.Errorf("status %d %s", status, reply)
	}
	return nil
}

// deliver has one event flushed to the sink that is well.
func (j *journey) deliver(t *testing.T) error {
	t.Helper()
	id := j.post(t, "delivered")
	if err := j.drainNow(t); err != nil {
		return err
	}
	return j.arrivedOnce(id)
}

func (j *journey) arrivedOnce(id string) error {
	if n := j.healthy.Counts()[id]; n != 1 {
		return fmt.Errorf("the event arrived %d times", n)
	}
	return nil
}

// deferEvent has an event flushed that its sink wants later.
func (j *journey) deferEvent(t *testing.T) error {
	t.Helper()
	j.sick.Behave(demosink.Behaviour{Status: 503})
	j.post(t, "sick now")
	return j.drainNow(t)
}

// writeLetter has an event flushed that its sink refuses.
func (j *journey) writeLetter(t *testing.T) error {
	t.Helper()
	j.sick.Behave(demosink.Behaviour{Status: 400})
	j.post(t, "sick for good")
	return j.drainNow(t)
}

// recogniseRepetition sends a request twice, for two environments of flush. Both must settle
// it: a flush that cannot tell puts it off.
func (j *journey) recogniseRepetition(t *testing.T) error {
	t.Helper()
	id := uuid.NewString()
	for range 2 {
		if err := j.startFlush(t); err != nil {
			return err
		}
		if status, reply := j.send(t, fmt.Appendf(nil, `{"id":%q,"type":"repeated"}`, id), key, ""); status/100 != 2 {
			t.Fatalf("status %d %s", status, reply)
		}
		if err := j.drainNow(t); err != nil {
			return err
		}
		if n := j.depth(t.Context(), t, j.queueURL); n != 0 {
			return fmt.Errorf("%d packs are put off", n)
		}
	}
	return j.arrivedOnce(id)
}

// startFlush replaces the environments of flush, and starts one.
func (j *journey) startFlush(t *testing.T) error {
	t.Helper()
	j.replaceEnvironments(t, j.flush)
	return j.drainNow(t)
}

// drainNow invokes flush until the queue is empty, which must keep nothing back. One
// invocation has two seconds, which a busy machine needs for less.
func (j *journey) drainNow(t *testing.T) error {
	t.Helper()
	for {
		reply, err := j.invoke(t, j.flush, map[string]any{"drain": true})
		if err != nil {
			return err
		}
		var drained struct {
			Back  int
			Empty bool
		}
		if err := json.Unmarshal(reply, &drained); err != nil {
			return fmt.Errorf("%s: %w", reply, err)
		}
		if drained.Back != 0 {
			return fmt.Errorf("%s", reply)
		}
		if drained.Empty {
			return nil
		}
	}
}

func (j *journey) replayLetter(t *testing.T) error {
	t.Helper()
	return j.replayed(t, 1, map[string]any{"sink": "sick"}, "replayed", 1)
}

// leaveLetter replays nothing, and puts back what it has looked at.
func (j *journey) leaveLetter(t *testing.T) error {
	t.Helper()
	return j.replayed(t, 1, map[string]any{"sink": "healthy"}, "scanned", 1)
}

// replayPartOfALetter leaves a rest, which is a letter again.
func (j *journey) replayPartOfALetter(t *testing.T) error {
	t.Helper()
	return j.replayed(t, 1, map[string]any{"type": "sick one"}, "split", 1)
}

// goOnReplaying gives the replay time for the first of two letters only.
func (j *journey) goOnReplaying(t *testing.T) error {
	t.Helper()
	return j.replayed(t, 2, map[string]any{"rate": 0.5, "seconds": 1, "continue": true}, "replayed", 1)
}

// replayed makes letters of two events each, asks for a replay and looks at one number of
// its report.
func (j *journey) replayed(t *testing.T, letters int, request map[string]any, number string, want int) error {
	t.Helper()
	j.sick.Behave(demosink.Behaviour{Status: 400})
	for range letters {
		body := fmt.Sprintf(`[{"id":%q,"type":"sick one"},{"id":%q,"type":"sick two"}]`, uuid.NewString(), uuid.NewString())
		if status, reply := j.send(t, []byte(body), key, ""); status/100 != 2 {
			t.Fatalf("status %d %s", status, reply)
		}
	}
	if err := j.drainNow(t); err != nil {
		t.Fatal(err)
	}
	reply, err := j.invoke(t, j.replayName, request)
	if err != nil {
		return err
	}
	var report map[string]any
	if err := json.Unmarshal(reply, &report); err != nil {
		t.Fatalf("%s: %v", reply, err)
	}
	if got := report[number]; got != float64(want) {
		t.Fatalf("%s: %v, want %d: %s", number, got, want, reply)
	}
	return nil
}

// invoke calls a function and returns what it says. The error is the function's own.
func (j *journey) invoke(t *testing.T, function string, request map[string]any) ([]byte, error) {
	t.Helper()
	payload, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	out, err := j.lambdas.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		t.Fatal(err)
	}
	if out.FunctionError != nil {
		return nil, errors.New(string(out.Payload))
	}
	return out.Payload, nil
}

// replaceEnvironments ends the environments of a function, by giving it a megabyte more.
func (j *journey) replaceEnvironments(t *testing.T, function string) {
	t.Helper()
	configuration, err := j.lambdas.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.lambdas.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &function, MemorySize: aws.Int32(aws.ToInt32(configuration.MemorySize) + 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = lambda.NewFunctionUpdatedV2Waiter(j.lambdas).Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &function}, deliveryWait)
	if err != nil {
		t.Fatal(err)
	}
}

// wantLogged waits until a function has printed a text since some time. Case does not
// matter: SQS writes the names of its actions in small letters.
func (j *journey) wantLogged(t *testing.T, function string, since time.Time, text string) {
	t.Helper()
	eventually(t, logWait, function+" prints "+text, func(ctx context.Context) (string, bool) {
		lines := j.logged(ctx, t, function, since)
		return fmt.Sprintf("%d lines since then", len(lines)), strings.Contains(strings.ToLower(strings.Join(lines, "\n")), strings.ToLower(text))
	})
}

// logged returns what a function has printed since some time.
func (j *journey) logged(ctx context.Context, t *testing.T, function string, since time.Time) []string {
	t.Helper()
	var lines []string
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(j.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/" + function), StartTime: aws.Int64(since.UnixMilli()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if ctx.Err() != nil {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Events {
			lines = append(lines, aws.ToString(page.Events[i].Message))
		}
	}
	return lines
}
