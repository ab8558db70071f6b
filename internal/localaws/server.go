package localaws

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// Server is a running embedded AWS. It is safe for concurrent use.
type Server struct {
	options        Options
	awsURL, apiURL string

	queues    *sqs.Service
	functions *lambda.Host
	mappings  []*esm.Mapping
	services  map[string]http.Handler // by their names in SigV4
	door      *http.Server            // never serves when there is no front door

	// closers end what was started, in the order of the start. Each is idempotent.
	closers []func(ctx context.Context) error
}

// Start opens the listeners, creates what the options declare and begins to serve. ctx bounds the start only.
// The server must be closed, or processes stay behind.
func Start(ctx context.Context, options Options) (*Server, error) {
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	s := &Server{options: options, services: map[string]http.Handler{}, door: new(http.Server)}
	if err := s.start(ctx); err != nil {
		expired, cancel := context.WithCancel(ctx)
		cancel() // nothing is running yet that deserves patience
		_ = s.Close(expired)
		return nil, err
	}
	return s, nil
}

// Close ends everything in the reverse order of the start, which is that of the data: the front door finishes its requests, the
// schedules and the mappings their invocations, then the processes end, then the endpoint, which they needed until then, and last
// the stores. When ctx ends first, the rest is cut off; Close still returns only when no process, listener or goroutine is left.
// It is idempotent.
func (s *Server) Close(ctx context.Context) error {
	var problems []error
	for _, end := range slices.Backward(s.closers) {
		problems = append(problems, end(ctx))
	}
	return errors.Join(problems...)
}

// CloseFrontDoor ends only the front door, so that an owner can let the functions empty the queues before Close. The requests in
// progress may finish until ctx ends. It is idempotent.
func (s *Server) CloseFrontDoor(ctx context.Context) error { return shut(ctx, s.door) }

// AWSURL is the endpoint of all services, for AWS_ENDPOINT_URL.
func (s *Server) AWSURL() string { return s.awsURL }

// APIURL is the front door's base URL, with the stage of a REST API; empty when there is no front door.
func (s *Server) APIURL() string { return s.apiURL }

// SQS is the queue service.
func (s *Server) SQS() *sqs.Service { return s.queues }

// Lambda is the host of the functions.
func (s *Server) Lambda() *lambda.Host { return s.functions }

// Mappings are the event-source mappings, in the order of the options.
func (s *Server) Mappings() []*esm.Mapping { return s.mappings }

// Client calls the AWS endpoint without a socket; it is an aws.HTTPClient.
func (s *Server) Client() inprocess.Transport {
	return inprocess.Transport{Handler: http.HandlerFunc(s.route)}
}
