package localaws_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

func TestServer_DataDir_KeepsQueuesAndTakesNewAttributes(t *testing.T) {
	t.Parallel()
	options := localaws.Options{
		DataDir: filepath.Join(t.TempDir(), "queues"),
		Queues: []localaws.Queue{
			{Name: "dead"},
			{Name: "main", Attributes: map[string]string{"VisibilityTimeout": "30", "RedrivePolicy": localaws.RedrivePolicy("dead", 2)}},
		},
	}
	first := start(t, options)
	if _, err := first.SQS().Send(t.Context(), "main", sqs.SendInput{Body: "kept"}); err != nil {
		t.Fatal(err)
	}
	if _, err := localaws.Start(t.Context(), options); !errors.Is(err, journal.ErrInUse) {
		t.Errorf("a second server on the directory: %v, want ErrInUse", err)
	}
	if err := first.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	options.Queues[1].Attributes = map[string]string{"VisibilityTimeout": "60", "RedrivePolicy": localaws.RedrivePolicy("dead", 5)}
	second := start(t, options)
	got, err := second.SQS().Peek("main")
	if err != nil || len(got) != 1 || got[0].Body != "kept" {
		t.Errorf("after the restart: %+v, %v; want the message", got, err)
	}
}

func TestServer_Close_WakesLongPolls(t *testing.T) {
	t.Parallel()
	polling := make(chan struct{})
	polls := sync.OnceFunc(func() { close(polling) })
	server := start(t, localaws.Options{
		Queues: []localaws.Queue{{Name: "q"}},
		Faults: &sqs.Faults{Intercept: func(operation string, _ []byte) error {
			if operation == "ReceiveMessage" {
				polls()
			}
			return nil
		}},
	})
	configuration := client(t, server)
	var poll sync.WaitGroup
	poll.Go(func() {
		in := &awssqs.ReceiveMessageInput{QueueUrl: aws.String(localaws.QueueURL(server.AWSURL(), "q")), WaitTimeSeconds: 20}
		_, _ = awssqs.NewFromConfig(configuration).ReceiveMessage(context.Background(), in)
	})
	<-polling
	patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Close(patience); err != nil {
		t.Errorf("Close = %v: the poll held it up", err)
	}
	poll.Wait()
}
