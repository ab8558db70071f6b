package sqs

import (
	"log/slog"
	"net/http"
	"sync"
)

// Options configure a Service. The zero value serves account 000000000000 in us-east-1.
type Options struct {
	// Region of every ARN; default "us-east-1".
	Region string
	// AccountID of every ARN and queue URL, 12 digits; default "000000000000".
	AccountID string
	// BaseURL starts every queue URL, e.g. "http://127.0.0.1:4577"; empty means the host each request was sent to.
	BaseURL string
	// Faults lets tests make calls fail; nil means none.
	Faults *Faults
	// Logger gets one debug line for each refused call; nil means silence.
	Logger *slog.Logger
}

// Faults makes a service refuse on purpose, for chaos and end-to-end tests.
type Faults struct {
	// Intercept is asked before each call, with the AWS operation's name ("SendMessageBatch", "ReceiveMessage", ...).
	// A non-nil error is the answer: an *Error as it is, anything else as a 500 InternalFailure. It must be safe for concurrent use.
	Intercept func(op string) error
}

// Service is an in-memory SQS. It is safe for concurrent use.
type Service struct {
	options Options
	mu      sync.Mutex
}

var _ http.Handler = (*Service)(nil)

// New returns an empty service. Close it to end its timers and long polls.
func New(options Options) *Service {
	return &Service{options: options}
}

// Close wakes all long polls, which return what is there, and stops all timers. It is idempotent.
func (s *Service) Close() {}

// ServeHTTP answers the AWS JSON 1.0 protocol.
func (s *Service) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotImplemented)
}
