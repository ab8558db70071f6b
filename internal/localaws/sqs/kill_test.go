package sqs_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

const (
	// victimVariable makes this test binary a server on the data directory it names.
	victimVariable = "SQS_TEST_VICTIM"
	// killsVariable is how often to kill; 5 without.
	killsVariable = "SQS_TEST_KILLS"
	// killAfter is the number of acknowledged messages after which a round's server is killed, so that rounds end at any speed.
	killAfter = 2000
	// visibility is short, so that what is not deleted comes again. It is a whole number of seconds.
	visibility = time.Second
)

// runVictim serves a data directory until it is killed, and prints its address.
func runVictim(dir string) {
	log, err := journal.Open(journal.Options{Dir: dir, Version: sqs.JournalVersion})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	service, err := sqs.Open(sqs.Options{}, log)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("http://" + listener.Addr().String())
	fmt.Fprintln(os.Stderr, http.Serve(listener, service)) //nolint:gosec // killed within seconds
	os.Exit(1)
}

// books are what the clients were told.
type books struct {
	sync.Mutex
	sent map[string]bool
	// deleted are the messages whose delete was acknowledged in time; AWS acknowledges one with an expired handle, too.
	deleted map[string]bool
	// tried are the messages in a delete, answered or not.
	tried map[string]bool
	// received counts deliveries.
	received map[string]int
	stop     chan struct{}
}

// TestService_Kill9_LosesNothingAcknowledged kills a server under load again and again, on one data directory.
func TestService_Kill9_LosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	kills := 5
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	b := &books{sent: map[string]bool{}, deleted: map[string]bool{}, tried: map[string]bool{}, received: map[string]int{}}
	for round := range kills {
		target := len(b.sent) + killAfter
		rate := killAfter / b.round(t, dir, target).Seconds()
		redelivered := b.compare(t, dir)
		t.Logf("round %d: %d acknowledged sends, %d deletes, %d redeliveries, %.0f messages/s", round, len(b.sent), len(b.deleted), redelivered, rate)
		if t.Failed() {
			return
		}
	}
}

// round loads a server until it has acknowledged so many sends in all, and kills it in the middle of the next. It returns how
// long the load lasted; what the server took to start on all that the rounds before left is no part of it.
func (b *books) round(t *testing.T, dir string, target int) time.Duration {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.CommandContext(t.Context(), self)
	victim.Env = append(os.Environ(), victimVariable+"="+dir)
	victim.Stderr = os.Stderr
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	b.stop = make(chan struct{})
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := newClient(url[:len(url)-1], &http.Client{Transport: transport})
	queue := *must[*awssqs.CreateQueueOutput](t)(client.CreateQueue(t.Context(), &awssqs.CreateQueueInput{
		QueueName: aws.String("q"), Attributes: map[string]string{"VisibilityTimeout": strconv.Itoa(int(visibility.Seconds()))},
	})).QueueUrl
	began := time.Now()
	var clients sync.WaitGroup
	for range 3 {
		clients.Go(func() { b.send(client, queue, target) })
	}
	clients.Go(func() { b.consume(client, queue) })
	<-b.stop
	loaded := time.Since(began)
	if err := victim.Process.Kill(); err != nil {
		t.Error(err)
	}
	clients.Wait()
	_ = victim.Wait() // killed, of course
	return loaded
}

// send goes on past the target, so that the kill meets requests in the middle.
func (b *books) send(client *awssqs.Client, queue string, target int) {
	for {
		in := &awssqs.SendMessageBatchInput{QueueUrl: &queue}
		for i := range 10 {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &benchBody})
		}
		out, err := client.SendMessageBatch(context.Background(), in, onlyOnce)
		if err != nil {
			return
		}
		b.Lock()
		before := len(b.sent)
		for _, entry := range out.Successful {
			b.sent[*entry.MessageId] = true
		}
		if before < target && len(b.sent) >= target {
			close(b.stop)
		}
		b.Unlock()
	}
}

// consume deletes every second message that it gets.
func (b *books) consume(client *awssqs.Client, queue string) {
	for {
		asked := time.Now()
		got, err := client.ReceiveMessage(context.Background(), &awssqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10}, onlyOnce)
		if err != nil {
			return
		}
		in := &awssqs.DeleteMessageBatchInput{QueueUrl: &queue}
		b.Lock()
		for i, m := range got.Messages {
			b.received[*m.MessageId]++
			if i%2 == 0 {
				b.tried[*m.MessageId] = true
				in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
			}
		}
		b.Unlock()
		if len(in.Entries) == 0 {
			continue
		}
		out, err := client.DeleteMessageBatch(context.Background(), in, onlyOnce)
		if err != nil {
			return
		}
		if time.Since(asked) >= visibility {
			continue // the handles may have expired
		}
		b.Lock()
		for _, done := range out.Successful {
			i, _ := strconv.Atoi(*done.Id)
			b.deleted[*got.Messages[i].MessageId] = true
		}
		b.Unlock()
	}
}

func onlyOnce(o *awssqs.Options) { o.RetryMaxAttempts = 1 }

// compare opens the directory and holds it against the books.
func (b *books) compare(t *testing.T, dir string) (redelivered int) {
	t.Helper()
	s, stop := openUntil(t, dir, nil)
	defer stop()
	there := map[string]bool{}
	for _, m := range must[[]sqs.Message](t)(s.Peek("q")) {
		there[m.ID] = true
		if b.deleted[m.ID] {
			t.Errorf("message %s is back after its delete was acknowledged", m.ID)
		}
		if m.Body != benchBody {
			t.Errorf("message %s has another body", m.ID)
		}
	}
	lost := 0
	for id := range b.sent {
		if !there[id] && !b.tried[id] { // a delete may have been carried out and its reply lost
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d acknowledged messages are gone", lost)
	}
	for _, n := range b.received {
		redelivered += n - 1
	}
	return redelivered
}
