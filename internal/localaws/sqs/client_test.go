package sqs_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimVariable); dir != "" {
		runVictim(dir)
	}
	goleak.VerifyTestMain(m)
}

// bundle is a fresh service and an SDK client of it.
type bundle struct {
	service *sqs.Service
	client  *awssqs.Client
	url     string
	t       *testing.T
}

// transports are the two ways to reach a service; every test of the protocol runs over both.
var transports = map[string]func(t testing.TB, handler http.Handler) (url string, client aws.HTTPClient){
	"in process": overProcess,
	"loopback":   overLoopback,
}

func overProcess(_ testing.TB, handler http.Handler) (string, aws.HTTPClient) {
	return "http://sqs.test", inprocess.Transport{Handler: handler}
}

func overLoopback(t testing.TB, handler http.Handler) (string, aws.HTTPClient) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL, server.Client()
}

// eachTransport runs one test over both transports.
func eachTransport(t *testing.T, test func(b bundle)) {
	t.Helper()
	for name, connect := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := sqs.New(sqs.Options{})
			t.Cleanup(service.Close)
			url, httpClient := connect(t, service)
			test(bundle{service, newClient(url, httpClient), url, t})
		})
	}
}

func newClient(url string, httpClient aws.HTTPClient) *awssqs.Client {
	return awssqs.New(awssqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), HTTPClient: httpClient, RetryMaxAttempts: 3,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

// queue makes a queue and returns its URL.
func (b bundle) queue(name string, attributes map[string]string) string {
	b.t.Helper()
	out, err := b.client.CreateQueue(b.t.Context(), &awssqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		b.t.Fatalf("CreateQueue(%s): %v", name, err)
	}
	return *out.QueueUrl
}

// must returns the output of a call that has to succeed.
func must[T any](t testing.TB) func(out T, err error) T {
	t.Helper()
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}
