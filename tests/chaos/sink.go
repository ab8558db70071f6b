package chaos

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/tests/chaos/oracle"
)

// The sinks' names.
const (
	sinkOne = "one"
	sinkTwo = "two"
)

const (
	// fewEvents is what a sink takes at once when it finds requests too large.
	fewEvents = 7
	// slowAnswer is well within the sinks' timeout.
	slowAnswer = 300 * time.Millisecond
)

// sick is a sink that takes NDJSON and fails with the weather.
type sick struct {
	name    string
	weather *weather
	server  *httptest.Server

	mu          sync.Mutex
	taken       []oracle.Delivery
	connections map[net.Conn]*answered
}

func startSink(name string, w *weather) *sick {
	s := &sick{name: name, weather: w, connections: make(map[net.Conn]*answered)}
	s.server = httptest.NewUnstartedServer(s)
	s.server.Config.ConnContext = s.opened
	s.server.Config.ConnState = s.changed
	s.server.Start()
	return s
}

// answered is the last answer on a connection.
type answered struct {
	at     time.Time
	events int
}

// readTime is how long after an answer a connection must live for the answer to count as read. Clients keep connections;
// one that closes at once has given up, at its deadline or with its process, and may not know what the sink took.
const readTime = time.Second

type answeredKey struct{}

func (s *sick) opened(ctx context.Context, c net.Conn) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := &answered{}
	s.connections[c] = last
	return context.WithValue(ctx, answeredKey{}, last)
}

func (s *sick) changed(c net.Conn, state http.ConnState) {
	if state != http.StateClosed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.connections[c]; last != nil && last.events > 0 && time.Since(last.at) < readTime {
		s.weather.expose(s.name, last.events)
	}
	delete(s.connections, c)
}

// close ends the sink with all requests that hang.
func (s *sick) close() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// deliveries are the events that were taken, in order.
func (s *sick) deliveries() []oracle.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]oracle.Delivery{}, s.taken...)
}

// take takes the events of a request.
func (s *sick) take(r *http.Request, events []oracle.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, events...)
	if last, ok := r.Context().Value(answeredKey{}).(*answered); ok {
		*last = answered{time.Now(), len(events)}
	}
}

// ServeHTTP takes a request, or does not.
func (s *sick) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	events, err := readEvents(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if s.failClean(w, r, len(events)) {
		return
	}
	switch {
	case s.strikes(SinkLoseReply):
		s.take(r, events)
		s.weather.expose(s.name, len(events))
		reset(w)
	case s.strikes(SinkPartial):
		events = events[:len(events)/2]
		s.take(r, events)
		s.weather.expose(s.name, len(events))
		w.WriteHeader(http.StatusInternalServerError)
	case s.strikes(SinkWrongBody):
		s.take(r, events)
		_, _ = io.WriteString(w, "<html><body>Welcome to our load balancer</body></html>")
	default:
		s.take(r, events)
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	}
}

// failClean fails without taking anything.
func (s *sick) failClean(w http.ResponseWriter, r *http.Request, events int) bool {
	switch {
	case s.strikes(SinkHang):
		<-r.Context().Done()
	case s.strikes(SinkReset):
		reset(w)
	case s.strikes(SinkRefuse):
		http.Error(w, `{"error":"no"}`, http.StatusBadRequest)
	case s.strikes(SinkFail):
		http.Error(w, `{"error":"sick"}`, http.StatusInternalServerError)
	case s.strikes(SinkThrottle):
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case events > fewEvents && s.strikes(SinkTooLarge):
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case s.strikes(SinkSlow):
		select {
		case <-time.After(slowAnswer):
			return false
		case <-r.Context().Done():
		}
	default:
		return false
	}
	return true
}

func (s *sick) strikes(f Fault) bool { return s.weather.strikes(f, s.name) }

// record is a line of the http sink's NDJSON.
type record struct {
	ID     string         `json:"id"`
	Tenant string         `json:"tenant"`
	Data   jsontext.Value `json:"data"`
}

func readEvents(r *http.Request) ([]oracle.Delivery, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		body = unzipped
	}
	var events []oracle.Delivery
	lines := bufio.NewReader(body)
	for {
		line, err := lines.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var got record
			if err := json.Unmarshal(line, &got); err != nil {
				return nil, fmt.Errorf("line %d: %w", len(events)+1, err)
			}
			events = append(events, oracle.Delivery{Key: oracle.Key{Tenant: got.Tenant, ID: got.ID}, Data: string(got.Data)})
		}
		switch {
		case errors.Is(err, io.EOF):
			return events, nil
		case err != nil:
			return nil, fmt.Errorf("body: %w", err)
		}
	}
}

// reset breaks the connection so that the client sees a reset, not an orderly end.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}
