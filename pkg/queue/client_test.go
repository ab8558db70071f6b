package queue_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	embedded "github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
)

// onLambda sets the environment that a function finds, and nothing of this machine's.
func onLambda(t *testing.T) {
	t.Helper()
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL": "http://sqs.test", "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere,
		"AWS_MAX_ATTEMPTS": "", "AWS_RETRY_MODE": "",
	} {
		t.Setenv(name, value)
	}
}

// flaky loses the replies of the first calls after SQS has done what was asked.
type flaky struct {
	inprocess.Transport

	lose int
}

func (f *flaky) Do(request *http.Request) (*http.Response, error) {
	response, err := f.Transport.Do(request)
	if f.lose > 0 {
		f.lose--
		return nil, errReset
	}
	return response, err
}

func newClient(t *testing.T, service http.Handler, lose int) *awssqs.Client {
	t.Helper()
	transport := &flaky{inprocess.Transport{Handler: service}, lose}
	cfg, err := awsconn.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return queue.NewClient(cfg, func(o *awssqs.Options) { o.HTTPClient = transport })
}

// TestNewClient_RetriesThrottling: exactly one layer retries, the SDK's, three attempts.
//
//nolint:paralleltest,tparallel // it sets environment variables
func TestNewClient_RetriesThrottling(t *testing.T) {
	onLambda(t)
	for _, row := range []struct {
		name      string
		throttles int
		attempts  int
		fails     bool
	}{
		{"not at all", 0, 1, false},
		{"twice", 2, 3, false},
		{"three times", 3, 3, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				count := counted{fail: func(op string, n int) error {
					if op == "SendMessage" && n <= row.throttles {
						return embedded.Throttled()
					}
					return nil
				}}
				server := queuetest.Start(t, count.options())
				healthy := server.Queue(t, "packs")
				err := queue.New(newClient(t, server.Service, 0), healthy.URL()).Send(t.Context(), pack(t, "acme", 1, 10))
				var failure *queue.SendError
				if errors.As(err, &failure) != row.fails {
					t.Errorf("error is %v, want one: %v", err, row.fails)
				}
				if got := count.calls["SendMessage"]; got != row.attempts {
					t.Errorf("%d attempts, want %d", got, row.attempts)
				}
			})
		})
	}
}

// TestNewClient_LostReply_SendsAgain: at least once, under the same pack id.
//
//nolint:paralleltest // it sets environment variables
func TestNewClient_LostReply_SendsAgain(t *testing.T) {
	onLambda(t)
	synctest.Test(t, func(t *testing.T) {
		server := queuetest.Start(t, embedded.Options{})
		healthy := server.Queue(t, "packs")
		if err := queue.New(newClient(t, server.Service, 1), healthy.URL()).Send(t.Context(), pack(t, "acme", 1, 10)); err != nil {
			t.Fatal(err)
		}
		got := queuetest.Packs(t, healthy)
		if len(got) != 2 || got[0].Header.ID != got[1].Header.ID {
			t.Errorf("%d packs on the queue, want 2 of one id", len(got))
		}
	})
}
