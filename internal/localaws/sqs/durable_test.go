package sqs_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// open returns a service on a data directory, closed with the test.
func open(t testing.TB, dir string, files vfs.FS) *sqs.Service {
	t.Helper()
	service, stop := openUntil(t, dir, files)
	t.Cleanup(stop)
	return service
}

// openUntil is open with an end of the caller's choice.
func openUntil(t testing.TB, dir string, files vfs.FS) (service *sqs.Service, stop func()) {
	t.Helper()
	log, err := journal.Open(journal.Options{Dir: dir, Version: sqs.JournalVersion, FileSystem: files})
	if err != nil {
		t.Fatal(err)
	}
	service, err = sqs.Open(sqs.Options{}, log)
	if err != nil {
		t.Fatal(err)
	}
	return service, func() {
		service.Close()
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
}

// inspect is everything a client can see of a queue without changing it.
type inspection struct {
	Attributes, Tags map[string]string
	Messages         []sqs.Message
	Depth            sqs.Depth
}

func inspect(t *testing.T, s *sqs.Service, name string) inspection {
	t.Helper()
	client := newClient("http://sqs.test", inprocess.Transport{Handler: s})
	attributes := must[*awssqs.GetQueueAttributesOutput](t)(client.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: &name, AttributeNames: []types.QueueAttributeName{"All"},
	}))
	tags := must[*awssqs.ListQueueTagsOutput](t)(client.ListQueueTags(t.Context(), &awssqs.ListQueueTagsInput{QueueUrl: &name}))
	seen := inspection{attributes.Attributes, tags.Tags, must[[]sqs.Message](t)(s.Peek(name)), must[sqs.Depth](t)(s.Depth(name))}
	return seen
}

func TestService_Restart_KeepsEverythingAClientCanSee(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := openUntil(t, dir, nil)
	client := newClient("http://sqs.test", inprocess.Transport{Handler: s})
	must[string](t)(s.CreateQueue(t.Context(), "gone", nil))
	must[string](t)(s.CreateQueue(t.Context(), "dlq", nil))
	must[string](t)(s.CreateQueue(t.Context(), "q", map[string]string{
		"VisibilityTimeout": "0", "MaximumMessageSize": "2048", "KmsMasterKeyId": "alias/key", "Policy": `{"Version":"2012-10-17"}`,
		"RedrivePolicy":      `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dlq","maxReceiveCount":"2"}`,
		"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`,
	}))
	must[*awssqs.TagQueueOutput](t)(client.TagQueue(t.Context(), &awssqs.TagQueueInput{QueueUrl: aws.String("q"), Tags: map[string]string{"team": "mill", "old": "1"}}))
	must[*awssqs.UntagQueueOutput](t)(client.UntagQueue(t.Context(), &awssqs.UntagQueueInput{QueueUrl: aws.String("q"), TagKeys: []string{"old"}}))
	if err := s.SetQueueAttributes(t.Context(), "q", map[string]string{"DelaySeconds": "0", "MessageRetentionPeriod": "3600"}); err != nil {
		t.Fatal(err)
	}
	send := func(in sqs.SendInput) { must[string](t)(s.Send(t.Context(), "q", in)) }
	send(sqs.SendInput{Body: "poison"})
	for range 3 { // twice delivered, then moved
		must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{MaxMessages: 10}))
	}
	send(sqs.SendInput{
		Body: "grüße \u2028 \"quoted\"", GroupID: "tenant-1", TraceHeader: "Root=1-\xff", // a header may hold anything
		Attributes: map[string]sqs.Attribute{"n": {DataType: "Number.int", StringValue: "7"}, "b": {DataType: "Binary", BinaryValue: []byte{0, 255}}},
	})
	send(sqs.SendInput{Body: "later", Delay: new(15 * time.Minute)})
	send(sqs.SendInput{Body: "in flight"})
	flying := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{MaxMessages: 2, Visibility: time.Hour}))
	send(sqs.SendInput{Body: "deleted"})
	deleted := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{Visibility: time.Hour}))
	if err := s.Delete(t.Context(), "q", []string{deleted[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	must[string](t)(s.Send(t.Context(), "gone", sqs.SendInput{Body: "with its queue"}))
	must[*awssqs.DeleteQueueOutput](t)(client.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: aws.String("gone")}))
	before, lettersBefore := inspect(t, s, "q"), inspect(t, s, "dlq")
	stop()

	s = open(t, dir, nil)
	before.Messages[0].Attributes["AWSTraceHeader"] = "Root=1-\uFFFD"
	if diff := cmp.Diff(before, inspect(t, s, "q")); diff != "" {
		t.Errorf("the queue (-before +after):\n%s", diff)
	}
	letters := inspect(t, s, "dlq")
	if diff := cmp.Diff(lettersBefore, letters); diff != "" {
		t.Errorf("its dead letters (-before +after):\n%s", diff)
	}
	if len(letters.Messages) != 1 || letters.Messages[0].Attributes["DeadLetterQueueSourceArn"] != "arn:aws:sqs:us-east-1:000000000000:q" {
		t.Errorf("dead letters %+v, want the poison with its source", letters.Messages)
	}
	if _, err := s.Depth("gone"); err == nil {
		t.Error("a deleted queue is back")
	}
	handles := []string{flying[0].ReceiptHandle, flying[1].ReceiptHandle, deleted[0].ReceiptHandle}
	if err := s.Delete(t.Context(), "q", handles); err != nil {
		t.Errorf("a receipt handle from before the restart: %v", err)
	}
	if got, want := must[sqs.Depth](t)(s.Depth("q")), (sqs.Depth{Delayed: 1}); got.InFlight != want.InFlight || got.Delayed != want.Delayed {
		t.Errorf("after deleting with the old handles: %+v, want %+v", got, want)
	}
}

// TestService_Restart_OldHandleNamesNoNewMessage deletes everything, so that no number is left on disk to count on from.
func TestService_Restart_OldHandleNamesNoNewMessage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := openUntil(t, dir, nil)
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	cycle := func(s *sqs.Service) string {
		must[string](t)(s.Send(t.Context(), "q", sqs.SendInput{Body: "m"}))
		return must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{}))[0].ReceiptHandle
	}
	old := cycle(s)
	if err := s.Delete(t.Context(), "q", []string{old}); err != nil {
		t.Fatal(err)
	}
	stop()
	s = open(t, dir, nil)
	cycle(s)
	if err := s.Delete(t.Context(), "q", []string{old}); err != nil {
		t.Fatal(err)
	}
	if depth := must[sqs.Depth](t)(s.Depth("q")); depth.InFlight != 1 {
		t.Errorf("a handle of before the restart deleted another message: %+v", depth)
	}
}

func TestService_Restart_Purge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, stop := openUntil(t, dir, nil)
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	must[string](t)(s.Send(t.Context(), "q", sqs.SendInput{Body: "m"}))
	client := newClient("http://sqs.test", inprocess.Transport{Handler: s})
	purge := &awssqs.PurgeQueueInput{QueueUrl: aws.String("q")}
	must[*awssqs.PurgeQueueOutput](t)(client.PurgeQueue(t.Context(), purge))
	stop()
	s = open(t, dir, nil)
	if depth := must[sqs.Depth](t)(s.Depth("q")); depth.Visible != 0 {
		t.Errorf("purged, and after the restart: %+v", depth)
	}
	client = newClient("http://sqs.test", inprocess.Transport{Handler: s})
	if _, err := client.PurgeQueue(t.Context(), purge); code(err) != "AWS.SimpleQueueService.PurgeQueueInProgress" {
		t.Errorf("a second purge within the minute: %v, want PurgeQueueInProgress", err)
	}
}

// fickleDisk has as much room as the test says and fails when told to.
type fickleDisk struct {
	vfs.FS
	room   atomic.Uint64
	broken atomic.Bool
}

func (d *fickleDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: d.room.Load()}, nil
}

func (d *fickleDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := d.FS.Create(name, category)
	return fickleFile{file, d}, err
}

type fickleFile struct {
	vfs.File
	disk *fickleDisk
}

func (f fickleFile) Write(p []byte) (int, error) {
	if f.disk.broken.Load() {
		return 0, syscall.ENOSPC
	}
	return f.File.Write(p)
}

func TestService_DiskNearlyFull_ServesDeletesAndRefusesSends(t *testing.T) {
	t.Parallel()
	disk := &fickleDisk{FS: vfs.NewMem()}
	disk.room.Store(1 << 40)
	s := open(t, "data", disk)
	client := newClient("http://sqs.test", inprocess.Transport{Handler: s})
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	must[string](t)(s.Send(t.Context(), "q", sqs.SendInput{Body: "before"}))
	disk.room.Store(1 << 20)
	once := func(o *awssqs.Options) { o.RetryMaxAttempts = 1 }
	_, err := client.SendMessage(t.Context(), &awssqs.SendMessageInput{QueueUrl: aws.String("q"), MessageBody: aws.String("more")}, once)
	if code(err) != "ServiceUnavailable" {
		t.Errorf("send: %v, want ServiceUnavailable", err)
	}
	if _, err := s.CreateQueue(t.Context(), "another", nil); err == nil {
		t.Error("a queue was made")
	}
	if _, err := s.CreateQueue(t.Context(), "q", nil); err != nil {
		t.Errorf("naming a queue that exists: %v", err)
	}
	got := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{MaxMessages: 10}))
	if len(got) != 1 || got[0].Body != "before" {
		t.Fatalf("received %+v, want only what was acknowledged", got)
	}
	if err := s.Delete(t.Context(), "q", []string{got[0].ReceiptHandle}); err != nil {
		t.Errorf("delete: %v", err)
	}
	disk.room.Store(1 << 40)
	must[string](t)(s.Send(t.Context(), "q", sqs.SendInput{Body: "after"}))
}

func TestService_DiskFails_StopsAndLosesNothing(t *testing.T) {
	t.Parallel()
	disk := &fickleDisk{FS: vfs.NewMem()}
	disk.room.Store(1 << 40)
	log, err := journal.Open(journal.Options{Dir: "data", Version: sqs.JournalVersion, FileSystem: disk})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqs.Open(sqs.Options{}, log)
	if err != nil {
		t.Fatal(err)
	}
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	must[string](t)(s.Send(t.Context(), "q", sqs.SendInput{Body: "kept"}))
	disk.broken.Store(true)
	calls := map[string]func() error{
		"send":    func() error { _, err := s.Send(t.Context(), "q", sqs.SendInput{Body: "lost"}); return err },
		"receive": func() error { _, err := s.Receive(t.Context(), "q", sqs.ReceiveInput{}); return err },
		"create":  func() error { _, err := s.CreateQueue(t.Context(), "r", nil); return err },
		"depth":   func() error { _, err := s.Depth("q"); return err },
	}
	for _, name := range []string{"send", "receive", "create", "depth"} {
		if refusal, ok := errors.AsType[*sqs.Error](calls[name]()); !ok || refusal.Code != "InternalFailure" {
			t.Errorf("%s: %v, want InternalFailure", name, refusal)
		}
	}
	s.Close()
	if err := log.Close(); !errors.Is(err, journal.ErrStopped) {
		t.Errorf("Close = %v, want ErrStopped", err)
	}
	disk.broken.Store(false)
	s = open(t, "data", disk)
	if got := must[[]sqs.Message](t)(s.Peek("q")); len(got) != 1 || got[0].Body != "kept" {
		t.Errorf("on disk: %+v, want what was acknowledged", got)
	}
}

func TestOpen_RefusesWhatItCannotHaveWritten(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, key, value string }{
		{"a queue that is no JSON", "qname", "{"},
		{"a queue with unknown attributes", "qname", `{"id":1,"attributes":{"Shape":"round"}}`},
		{"a message key of the wrong length", "m\x00\x00\x00\x00\x00\x00\x00\x01x", "{}"},
		{"a message that is no JSON", "m\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00", "["},
		{"a state without its message", "m\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x01", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log, err := journal.Open(journal.Options{Dir: "data", Version: sqs.JournalVersion, FileSystem: vfs.NewMem()})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = log.Close() }()
			log.Set([]byte("qone"), []byte(`{"id":1,"attributes":{}}`))
			log.Set([]byte(test.key), []byte(test.value))
			if err := log.Submit().Wait(); err != nil {
				t.Fatal(err)
			}
			if _, err := sqs.Open(sqs.Options{}, log); err == nil || !errors.Is(err, sqs.ErrStored) {
				t.Errorf("Open = %v, want ErrStored", err)
			}
		})
	}
}

func code(err error) string {
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		return refusal.ErrorCode()
	}
	return fmt.Sprint(err)
}
