package sinktest

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// hugeBytes is what a Huge reply announces.
	hugeBytes = 1 << 30
	// floodBytes is where Huge and Endless replies break off after all: a sink that
	// reads so far has failed the contract and need not fill the memory too.
	floodBytes = 2 * maxReadBytes
	// slowInterval is the time between two bytes of a slow reply.
	slowInterval = time.Second
)

func (s *Server) serve(w http.ResponseWriter, raw *http.Request) {
	if !s.enter() {
		return
	}
	defer s.serving.Done()
	r, err := s.receive(w, raw)
	if err != nil {
		// A sink that stopped sending has not delivered; anything else is its mistake.
		if raw.Context().Err() == nil && !s.isClosed() {
			s.problem(err)
		}
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	step := s.next(r)
	if !s.pause(raw, &step) {
		return
	}
	if step.Fault == "" {
		s.reply(w, r, &step)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.problem(err)
		return
	}
	defer s.forget(conn)
	s.misbehave(conn, buffered.Writer, r, &step)
}

// enter makes Close wait for a handler. After Close there are no more.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return false
	}
	s.serving.Add(1)
	return true
}

func (s *Server) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// receive reads the request and remembers it.
func (s *Server) receive(w http.ResponseWriter, raw *http.Request) (*Request, error) {
	body, err := decompress(raw.Header.Get("Content-Encoding"), http.MaxBytesReader(w, raw.Body, maxBodyBytes))
	if err != nil {
		return nil, err
	}
	r := &Request{Method: raw.Method, Path: raw.URL.RequestURI(), Header: raw.Header.Clone(), Body: body}
	if r.IDs, err = s.options.IDs(r); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	s.notify()
	return r, nil
}

// next takes the next step of the script.
func (s *Server) next(r *Request) Step {
	s.mu.Lock()
	respond := s.respond
	if len(s.script) > 0 {
		step := s.script[0]
		s.script = s.script[1:]
		s.mu.Unlock()
		return step
	}
	s.mu.Unlock()
	if respond == nil {
		return Step{}
	}
	copied := *r
	return respond(&copied)
}

// pause waits as the step says; false means that nobody waits for the reply any more.
func (s *Server) pause(raw *http.Request, step *Step) bool {
	if step.Delay > 0 {
		timer := time.NewTimer(step.Delay)
		defer timer.Stop()
		if !waitFor(s, raw, timer.C) {
			return false
		}
	}
	return step.Until == nil || waitFor(s, raw, step.Until)
}

func waitFor[T any](s *Server, raw *http.Request, signal <-chan T) bool {
	select {
	case <-signal:
		return true
	case <-raw.Context().Done():
	case <-s.closed:
	}
	return false
}

func (s *Server) reply(w http.ResponseWriter, r *Request, step *Step) {
	maps.Copy(w.Header(), step.Header)
	w.Header().Set("Content-Length", fmt.Sprint(len(step.Body)))
	s.answered(r, step.status())
	w.WriteHeader(step.status())
	if step.status() != http.StatusNoContent {
		_, _ = io.WriteString(w, step.Body) // the client may have left
	}
}

func (s *Server) answered(r *Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Status = status
	s.notify()
}

func (s *Server) forget(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// misbehave speaks HTTP/1.1 by hand, as net/http would not.
func (s *Server) misbehave(conn net.Conn, w *bufio.Writer, r *Request, step *Step) {
	switch step.Fault {
	case Reset:
		reset(conn)
		return
	case Hang:
		_, _ = io.Copy(io.Discard, conn) // returns when either side closes
		return
	case ResetInHeaders:
		s.write(w, fmt.Sprintf("HTTP/1.1 %d Broken\r\nContent-Ty", step.status()))
		reset(conn)
		return
	case SlowHeaders:
		s.drip(w, fmt.Sprintf("HTTP/1.1 %d Slow\r\nX-Padding: ", step.status()))
		return
	}
	s.answered(r, step.status())
	s.head(w, step)
	switch step.Fault {
	case ResetInBody:
		s.write(w, `{"half":`)
		reset(conn)
	case SlowBody:
		s.drip(w, `{"half":`)
	case Endless, Huge:
		s.flood(w)
	}
}

// head writes the status line and headers of a body that is going to be broken.
func (s *Server) head(w *bufio.Writer, step *Step) {
	fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n", step.status(), http.StatusText(step.status()))
	_ = step.Header.Write(w)
	fmt.Fprintf(w, "Content-Length: %d\r\n\r\n", announced(step.Fault))
}

// announced is the Content-Length of a broken body. An endless one has as many bytes as
// the header can say.
func announced(fault Fault) int64 {
	switch fault {
	case ResetInBody:
		return 100
	case Endless, SlowBody:
		return 1<<63 - 1
	}
	return hugeBytes
}

// drip sends a start at once and then a byte at a time, until either side closes.
func (s *Server) drip(w *bufio.Writer, start string) {
	ticker := time.NewTicker(slowInterval)
	defer ticker.Stop()
	for text := start; s.write(w, text); text = " " {
		select {
		case <-ticker.C:
		case <-s.closed:
			return
		}
	}
}

// flood sends as fast as the other side reads, until it closes or has read far too much.
func (s *Server) flood(w *bufio.Writer) {
	chunk := strings.Repeat(`["x"],`, 10_000)
	for sent := 0; sent < floodBytes && s.write(w, chunk); sent += len(chunk) {
	}
}

func (s *Server) write(w *bufio.Writer, text string) bool {
	_, _ = w.WriteString(text)
	if w.Flush() != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent += int64(len(text))
	return true
}

// reset closes a TCP connection with RST instead of FIN; in memory both are the same.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}
