package lambda

import (
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/uuid/v5"
)

// runtimeAPI is what the process talks to: the Runtime API and what the host knows of the Extensions API.
func (e *environment) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.serveResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.serveError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.serveError)
	mux.HandleFunc("POST /2020-01-01/extension/register", e.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", nextEvent)
	return mux
}

// serveNext ends the invocation before and waits for the one to come.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	if !e.finish() {
		writeJSON(w, http.StatusForbidden, errorObject{"The invocation in progress has no response yet, or the start has failed", "InvalidStateTransition"})
		return
	}
	select {
	case inv := <-e.handoff:
		deadline := time.Now().Add(e.pool.function.Timeout) // before the log, which may make us wait
		e.mu.Lock()
		e.current = inv.id
		e.mu.Unlock()
		e.logStart(inv)
		e.writeInvocation(w, inv, deadline)
	case <-r.Context().Done(): // also when the process is gone, because the server is then, too
	}
}

// finish ends the invocation in progress, if there is one; it reports false when that has no answer yet. A process that
// has reported the failure of its start gets no invocation.
func (e *environment) finish() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == "" {
		e.started = e.started || e.answer == nil
		return e.started
	}
	if e.answer == nil {
		return false
	}
	e.current = ""
	e.finished <- struct{}{}
	return true
}

func (e *environment) writeInvocation(w http.ResponseWriter, inv *invocation, deadline time.Time) {
	header := w.Header()
	// Assigned under their canonical names: this runs once per invocation.
	header["Lambda-Runtime-Aws-Request-Id"] = []string{inv.id}
	header["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(deadline.UnixMilli(), 10)}
	header["Lambda-Runtime-Invoked-Function-Arn"] = []string{e.pool.host.ARN(e.pool.function.Name)}
	header["Lambda-Runtime-Trace-Id"] = []string{inv.traceID}
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(inv.payload))}
	_, _ = w.Write(inv.payload) // a process that went away is noticed by its exit
}

func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) { e.serveAnswer(w, r, "") }

func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	e.serveAnswer(w, r, Unhandled)
}

// serveAnswer takes the response or the error of the invocation in progress, or the error of the start, whose path has no id. The
// Runtime API's clients insist on exactly 202.
func (e *environment) serveAnswer(w http.ResponseWriter, r *http.Request, functionError string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxPayloadBytes+1))
	answer := Result{Payload: body, FunctionError: functionError}
	oversize := len(body) > MaxPayloadBytes
	if oversize {
		_, err = io.Copy(io.Discard, r.Body) // so that the process sees the 413 and not a reset
		answer = failure("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", MaxPayloadBytes)
	}
	if object := r.Trailer.Get("Lambda-Runtime-Function-Error-Body"); object != "" { // it failed while it was writing its response
		answer.Payload, _ = base64.StdEncoding.DecodeString(object)
		answer.FunctionError = Unhandled
	}
	switch id := r.PathValue("id"); {
	case err != nil:
		writeJSON(w, http.StatusBadRequest, errorObject{err.Error(), "InvalidBody"})
	case !e.settle(id, answer):
		writeJSON(w, http.StatusBadRequest, errorObject{"No invocation " + id + " is waiting for an answer", "InvalidRequestID"})
	case oversize:
		writeJSON(w, http.StatusRequestEntityTooLarge, jsontext.Value(answer.Payload))
	default:
		writeJSON(w, http.StatusAccepted, jsontext.Value(`{"status":"OK"}`))
	}
}

// settle keeps the first answer to the invocation in progress, or to the start as long as that lasts.
func (e *environment) settle(id string, answer Result) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	late := id == "" && e.started // an error of a start that was one no more
	if late || id != e.current || e.answer != nil {
		return false
	}
	e.answer = &answer
	return true
}

// register notes that the process wants a SIGTERM, which is what a registration without events is for.
func (e *environment) register(w http.ResponseWriter, r *http.Request) {
	var registration struct {
		Events []string `json:"events"`
	}
	err := json.UnmarshalRead(io.LimitReader(r.Body, MaxPayloadBytes), &registration)
	switch {
	case err != nil:
		writeJSON(w, http.StatusBadRequest, errorObject{err.Error(), "Extension.InvalidRegistration"})
	case len(registration.Events) > 0:
		writeJSON(w, http.StatusForbidden, errorObject{"Events are not emulated; register for none to get SIGTERM", "Extension.InvalidEventType"})
	default:
		e.wantsSIGTERM.Store(true)
		w.Header().Set("Lambda-Extension-Identifier", uuid.Must(uuid.NewV4()).String())
		writeJSON(w, http.StatusOK, map[string]string{"functionName": e.pool.function.Name, "functionVersion": Version, "handler": "bootstrap"})
	}
}

// nextEvent lets an extension wait for an event as long as its process lives: there is none.
func nextEvent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
