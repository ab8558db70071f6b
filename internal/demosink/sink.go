package demosink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// ControlPath is where a running sink is asked and told things.
const ControlPath = "/_sink"

// maxControlBytes bounds the body of a control request.
const maxControlBytes = 64 << 10

// Options configure a Sink. The zero value takes everything and tells nobody.
type Options struct {
	// Behaviour at first.
	Behaviour Behaviour
	// Out gets every event that is taken, one a line; nil means none. A write error is answered with 500.
	Out io.Writer
	// Arrived is told of every request, after its answer was decided and before it is sent; nil means nobody. Calls do not overlap.
	Arrived func(Arrival)
}

// Arrival is one request as the sink saw it.
type Arrival struct {
	// Path of the request.
	Path string
	// Records of the request, also when they were not taken.
	Records []Record
	// Taken is how many of the records were taken, from the first.
	Taken int
	// Status of the answer; 0 when there will be none.
	Status int
}

// Sink is an http.Handler that takes events. It is safe for concurrent use. It remembers the id of every event, about 100 bytes
// each, so it is not for endless runs.
type Sink struct {
	options Options

	mu        sync.Mutex
	behaviour Behaviour
	books     books
}

var _ http.Handler = (*Sink)(nil)

// New returns a sink.
func New(o Options) *Sink {
	return &Sink{options: o, behaviour: o.Behaviour, books: newBooks()}
}

// Behave changes how the sink answers from the next request on.
func (s *Sink) Behave(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviour = b
}

// ServeHTTP takes events, or a control request.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == ControlPath {
		s.control(w, r)
		return
	}
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		w.Header().Set("Allow", "POST, PUT")
		http.Error(w, "this sink takes events by POST and tells of them at GET "+ControlPath, http.StatusMethodNotAllowed)
		return
	}
	s.take(w, r)
}

func (s *Sink) take(w http.ResponseWriter, r *http.Request) {
	records, err := readRequest(r)
	if err != nil {
		_ = s.note(Arrival{Path: r.URL.Path, Status: statusOf(err)}) // fails only for events, and there are none
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	behaviour, fails := s.decide()
	if !wait(r.Context(), behaviour.Delay) {
		return
	}
	arrival := Arrival{Path: r.URL.Path, Records: records, Taken: len(records), Status: behaviour.success()}
	if fails {
		arrival.Status, arrival.Taken = behaviour.failure(), 0
		if behaviour.Partial {
			arrival.Taken = len(records) / 2 //nolint:mnd // half
		}
		if behaviour.Hang || behaviour.Reset {
			arrival.Status = 0
		}
	}
	if err := s.note(arrival); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if fails {
		behaviour.fail(w, r)
		return
	}
	answer(w, arrival.Status, fmt.Sprintf(`{"taken":%d}`, arrival.Taken))
}

func readRequest(r *http.Request) ([]Record, error) {
	body, err := readBody(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	return parseRecords(body)
}

func statusOf(err error) int {
	if errors.Is(err, errTooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// decide rolls for one request under the behaviour of this moment.
func (s *Sink) decide() (behaviour Behaviour, fails bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.behaviour, s.behaviour.Fails(rand.Float64()) //nolint:gosec // not a secret
}

// note writes down what arrived and tells the observer.
func (s *Sink) note(a Arrival) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Out != nil {
		for _, record := range a.Records[:a.Taken] {
			if _, err := s.options.Out.Write(append(record.JSON, '\n')); err != nil {
				return fmt.Errorf("write events: %w", err)
			}
		}
	}
	s.books.enter(a)
	if s.options.Arrived != nil {
		s.options.Arrived(a)
	}
	return nil
}

// fail ends a failing request in the way that was asked for.
func (b Behaviour) fail(w http.ResponseWriter, r *http.Request) {
	switch {
	case b.Hang:
		<-r.Context().Done()
	case b.Reset:
		reset(w)
	default:
		b.setRetryAfter(w.Header())
		answer(w, b.failure(), fmt.Sprintf(`{"error":"this sink was told to answer %d"}`, b.failure()))
	}
}

// reset drops the connection so that the client sees a reset, not an orderly end.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 and recorders: the server aborts the stream
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}

// wait says whether d went by before the client gave up.
func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Sink) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		s.Forget()
	case http.MethodPost:
		body, err := io.ReadAll(io.LimitReader(r.Body, maxControlBytes))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		behaviour, err := ParseBehaviour(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Behave(behaviour)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		http.Error(w, ControlPath+" takes GET, POST and DELETE", http.StatusMethodNotAllowed)
		return
	}
	stats := s.Stats()
	if r.URL.Query().Get("ids") != "" {
		stats.IDs = s.Counts()
	}
	body, err := json.Marshal(stats, json.Deterministic(true))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, string(body))
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body+"\n")
}
