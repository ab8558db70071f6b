package awsconn_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/pkg/awsconn"
)

// TestKeepConnections_ClosedBodyIsNoFailedWrite: many calls share one connection. Without KeepConnections some calls in
// a hundred end with their connection closed under them, so that 500 calls need several.
func TestKeepConnections_ClosedBodyIsNoFailedWrite(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	nearby := awshttp.NewBuildableClient()
	t.Cleanup(func() { nearby.GetTransport().CloseIdleConnections() })
	client := sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), HTTPClient: awsconn.KeepConnections(nearby),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	for range 500 {
		if _, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(server.URL + "/000000000000/q")}); err != nil {
			t.Fatal(err)
		}
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("500 calls used %d connections, want 1", got)
	}
}

func TestKeepConnections_OfNothingIsTheDefault(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(server.Close)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true // nobody could close an idle connection of the default client
	response, err := awsconn.KeepConnections(nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusTeapot {
		t.Errorf("status = %d, want %d", response.StatusCode, http.StatusTeapot)
	}
}
