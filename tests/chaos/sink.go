package chaos

import (
	"bufio"
	"bytes"
	"compress/gzip"
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

	mu    sync.Mutex
	taken []oracle.Delivery
}

func startSink(name string, w *weather) *sick {
	s := &sick{name: name, weather: w}
	s.server = httptest.NewServer(s)
	return s
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

func (s *sick) take(events []oracle.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, events...)
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
		s.take(events)
		s.weather.expose(s.name, len(events))
		reset(w)
	case s.strikes(SinkPartial):
		events = events[:len(events)/2]
		s.take(events)
		s.weather.expose(s.name, len(events))
		w.WriteHeader(http.StatusInternalServerError)
	case s.strikes(SinkWrongBody):
		s.take(events)
		_, _ = io.WriteString(w, "<html><body>Welcome to our load balancer</body></html>")
	default:
		s.take(events)
		if r.Context().Err() != nil { // it had gone: a machine too busy to answer in time
			s.weather.expose(s.name, len(events))
		}
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
