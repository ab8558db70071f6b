package lambda

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	runtimePrefix   = "/2018-06-01/runtime/"
	extensionPrefix = "/2020-01-01/extension/"

	// maxDrainBytes is how much of an oversize response is read and thrown away, so that the process sees the 413 and not a reset.
	maxDrainBytes = 64 << 20
)

// serveRuntimeAPI dispatches by hand: it is on the path of every invocation, and the paths carry the request id in the middle.
func (e *environment) serveRuntimeAPI(w http.ResponseWriter, r *http.Request) {
	if rest, found := strings.CutPrefix(r.URL.Path, runtimePrefix); found {
		e.serveRuntime(w, r, rest)
		return
	}
	if rest, found := strings.CutPrefix(r.URL.Path, extensionPrefix); found {
		e.serveExtension(w, r, rest)
		return
	}
	refuseRuntime(w, http.StatusNotFound, "InvalidPath", "The Runtime API has no "+r.URL.Path)
}

func (e *environment) serveRuntime(w http.ResponseWriter, r *http.Request, path string) {
	switch {
	case path == "invocation/next" && r.Method == http.MethodGet:
		e.serveNext(w, r)
	case path == "init/error" && r.Method == http.MethodPost:
		e.serveInitError(w, r)
	case r.Method == http.MethodPost && strings.HasPrefix(path, "invocation/"):
		id, verb, _ := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
		switch verb {
		case "response":
			e.serveAnswer(w, r, id, e.readResponse)
		case "error":
			e.serveAnswer(w, r, id, e.readError)
		default:
			refuseRuntime(w, http.StatusNotFound, "InvalidPath", "The Runtime API has no "+r.URL.Path)
		}
	default:
		refuseRuntime(w, http.StatusMethodNotAllowed, "InvalidMethod", r.Method+" is not allowed here")
	}
}

// serveNext ends the invocation before and waits for the one to come.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	if !e.finishCurrent() {
		refuseRuntime(w, http.StatusForbidden, "InvalidStateTransition", "The invocation in progress has no response yet")
		return
	}
	e.readyOnce.Do(func() { close(e.ready) })
	select {
	case inv := <-e.handoff:
		e.mu.Lock()
		e.current = inv
		e.mu.Unlock()
		writeInvocation(w, inv)
	case <-r.Context().Done():
	case <-e.exited:
	}
}

// finishCurrent closes the answered invocation; it reports false when there is one without an answer.
func (e *environment) finishCurrent() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return true
	}
	if e.current.answer == nil {
		return false
	}
	close(e.current.finished)
	e.current = nil
	return true
}

func writeInvocation(w http.ResponseWriter, inv *invocation) {
	header := w.Header()
	// Assigned under their canonical names: this runs once per invocation.
	header["Lambda-Runtime-Aws-Request-Id"] = []string{inv.id}
	header["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(inv.deadline.UnixMilli(), 10)}
	header["Lambda-Runtime-Invoked-Function-Arn"] = []string{inv.arn}
	header["Lambda-Runtime-Trace-Id"] = []string{inv.traceID}
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(inv.payload))}
	if inv.clientContext != "" {
		header["Lambda-Runtime-Client-Context"] = []string{inv.clientContext}
	}
	_, _ = w.Write(inv.payload) // a process that went away is noticed by its exit
}

// answerReader turns the body of a response or an error into an outcome.
type answerReader func(*http.Request) (outcome, error)

// errOversize marks a body over MaxPayloadBytes; the outcome beside it is final.
var errOversize = errors.New("payload over the limit")

// serveAnswer takes the response or the error of the invocation in progress. The Runtime API's clients insist on exactly 202.
func (e *environment) serveAnswer(w http.ResponseWriter, r *http.Request, id string, read answerReader) {
	if !e.awaitsAnswer(id) {
		refuseRuntime(w, http.StatusBadRequest, "InvalidRequestID", "No invocation "+id+" is waiting for an answer")
		return
	}
	answer, err := read(r)
	if err != nil && !errors.Is(err, errOversize) {
		refuseRuntime(w, http.StatusBadRequest, "InvalidBody", err.Error())
		return
	}
	e.mu.Lock()
	if e.current != nil && e.current.id == id && e.current.answer == nil {
		e.current.answer = &answer
	}
	e.mu.Unlock()
	if err != nil {
		refuseRuntime(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			"Exceeded maximum allowed payload size ("+strconv.Itoa(MaxPayloadBytes)+" bytes).")
		return
	}
	accept(w)
}

func (e *environment) awaitsAnswer(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current != nil && e.current.id == id && e.current.answer == nil
}

// readResponse reads a response, plain or chunked. Trailers after it say that the function failed while it was writing.
func (e *environment) readResponse(r *http.Request) (outcome, error) {
	body, err := e.readLimited(r)
	if err != nil {
		return responseTooLarge(), err
	}
	if errorType := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); errorType != "" {
		if object, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body")); err == nil && len(object) > 0 {
			return outcome{payload: object, failed: true}, nil
		}
		return failure(errorType, "The function failed while it was writing its response"), nil
	}
	return outcome{payload: body}, nil
}

func (e *environment) readError(r *http.Request) (outcome, error) {
	body, err := e.readLimited(r)
	if err != nil {
		return responseTooLarge(), err
	}
	return outcome{payload: body, failed: true}, nil
}

func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	answer, err := e.readError(r)
	if err != nil && !errors.Is(err, errOversize) {
		refuseRuntime(w, http.StatusBadRequest, "InvalidBody", err.Error())
		return
	}
	e.mu.Lock()
	e.initError = &answer
	e.mu.Unlock()
	accept(w)
}

// readLimited returns a copy of the body, or errOversize once it is over MaxPayloadBytes.
func (e *environment) readLimited(r *http.Request) ([]byte, error) {
	buffer, pooled := e.bodies.Get().(*bytes.Buffer)
	if !pooled {
		buffer = new(bytes.Buffer)
	}
	defer e.bodies.Put(buffer)
	buffer.Reset()
	n, err := buffer.ReadFrom(io.LimitReader(r.Body, MaxPayloadBytes+1))
	if err != nil {
		return nil, err
	}
	if n > MaxPayloadBytes {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrainBytes)
		return nil, errOversize
	}
	return bytes.Clone(buffer.Bytes()), nil
}

func accept(w http.ResponseWriter) {
	w.Header()["Content-Type"] = []string{"application/json"}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuseRuntime(w http.ResponseWriter, status int, errorType, message string) {
	writeJSON(w, status, errorObject{message, errorType})
}
