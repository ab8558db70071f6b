package sqs_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// pipes is a listener without sockets, so that a server can be part of a test on a virtual clock.
type pipes struct {
	dialed chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.dialed:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	close(p.closed)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.dialed <- server
	return client, nil
}

// overPipes is a server and its client with everything but the sockets between them.
func overPipes(t testing.TB, handler http.Handler) (url string, client aws.HTTPClient) {
	t.Helper()
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: handler} //nolint:gosec // its only client is the test
	go func() { _ = server.Serve(listener) }()
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	return "http://sqs.test", &http.Client{Transport: transport}
}

// pollingOverTheWire runs a test on a virtual clock with an SDK client and queue "q".
func pollingOverTheWire(t *testing.T, test func(t *testing.T, s *sqs.Service, client *awssqs.Client)) {
	t.Helper()
	for name, connect := range map[string]func(t testing.TB, handler http.Handler) (string, aws.HTTPClient){"server": overPipes, "in process": overProcess} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) { test(t, s, newClient(connect(t, s))) })
		})
	}
}

var longPoll = awssqs.ReceiveMessageInput{QueueUrl: aws.String("q"), WaitTimeSeconds: 20}

func TestService_LongPoll_OverTheWire(t *testing.T) {
	t.Parallel()
	pollingOverTheWire(t, func(t *testing.T, s *sqs.Service, client *awssqs.Client) {
		got := make(chan *awssqs.ReceiveMessageOutput)
		go func() {
			out, _ := client.ReceiveMessage(t.Context(), &longPoll)
			got <- out
		}()
		synctest.Wait()
		send(t, s, "q", sqs.SendInput{Body: "m"})
		if out := <-got; out == nil || len(out.Messages) != 1 {
			t.Errorf("long poll got %+v, want the message", out)
		}
	})
}

// TestService_Close_Answers checks what a call sees that comes while the service ends.
func TestService_Close_Answers(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		send(t, s, "q", sqs.SendInput{Body: "m"})
		s.Close()
		s.Close()
		if got := bodies(t, s, "q", sqs.ReceiveInput{Wait: sqs.MaxWait}); len(got) != 1 {
			t.Errorf("received %v, want what is there", got)
		}
		if got := bodies(t, s, "q", sqs.ReceiveInput{Wait: sqs.MaxWait}); got != nil {
			t.Errorf("received %v, want nothing, at once", got)
		}
		client := newClient(overProcess(t, s))
		must[*awssqs.DeleteQueueOutput](t)(client.DeleteQueue(t.Context(), &awssqs.DeleteQueueInput{QueueUrl: aws.String("q")}))
	})
}

func TestService_LongPoll_DisconnectOverTheWire(t *testing.T) {
	t.Parallel()
	pollingOverTheWire(t, func(t *testing.T, s *sqs.Service, client *awssqs.Client) {
		for range 5 {
			ctx, leave := context.WithCancel(t.Context())
			left := make(chan struct{})
			go func() {
				defer close(left)
				_, _ = client.ReceiveMessage(ctx, &longPoll)
			}()
			synctest.Wait()
			leave()
			<-left
		}
		synctest.Wait()
		send(t, s, "q", sqs.SendInput{Body: "m"})
		got := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
		if len(got) != 1 || got[0].Attributes["ApproximateReceiveCount"] != "1" {
			t.Errorf("after five clients left: %+v, want the message on its first receive", got)
		}
	})
}
