// Package queuetest gives tests real queues: the embedded SQS behind the SDK's own
// client, without a socket, so that it also runs in virtual time.
package queuetest

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// Server is an embedded SQS with a client.
type Server struct {
	Service *sqs.Service
	Client  *awssqs.Client
}

// Start returns a server that stops with the test.
func Start(t testing.TB, options sqs.Options) *Server {
	t.Helper()
	service := sqs.New(options)
	t.Cleanup(service.Close)
	return &Server{Service: service, Client: awssqs.New(awssqs.Options{
		BaseEndpoint: aws.String("http://sqs.test"), Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:  inprocess.Transport{Handler: service},
	})}
}

// Queue creates a queue.
func (s *Server) Queue(t testing.TB, name string) *queue.Queue {
	t.Helper()
	url, err := s.Service.CreateQueue(t.Context(), name, nil)
	if err != nil {
		t.Fatalf("create queue %s: %v", name, err)
	}
	return queue.New(s.Client, url)
}

// Packs takes everything visible off a queue and decodes it, in no particular order.
func Packs(t testing.TB, q *queue.Queue) []batch.Pack {
	t.Helper()
	var packs []batch.Pack
	for {
		messages, err := q.Receive(t.Context(), queue.MaxEntries, 0, time.Hour)
		if err != nil {
			t.Fatalf("receive: %v", err)
		}
		if len(messages) == 0 {
			return packs
		}
		for _, m := range messages {
			p, err := batch.Decode(m.Body, m.Events)
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			packs = append(packs, p)
		}
	}
}
