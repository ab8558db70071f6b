package lambda

import (
	"io"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/gofrs/uuid/v5"
)

const (
	maxExtensions             = 10
	maxExtensionRegisterBytes = 64 << 10
)

// extension is one registration at the Extensions API.
type extension struct {
	wantsShutdown bool
}

func (e *environment) hasExtensions() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.extensions) > 0
}

func (e *environment) serveExtension(w http.ResponseWriter, r *http.Request, path string) {
	switch {
	case path == "register" && r.Method == http.MethodPost:
		e.register(w, r)
	case path == "event/next" && r.Method == http.MethodGet:
		e.nextEvent(w, r)
	default:
		refuseRuntime(w, http.StatusNotFound, "InvalidPath", "The Extensions API of this host has register and event/next, not "+r.URL.Path)
	}
}

// register adds an extension: the header names it, the body lists the events it wants.
func (e *environment) register(w http.ResponseWriter, r *http.Request) {
	events, err := readEvents(r.Body)
	if err != nil || r.Header.Get("Lambda-Extension-Name") == "" {
		refuseRuntime(w, http.StatusBadRequest, "Extension.InvalidRegistration", "A registration needs a Lambda-Extension-Name and a list of events")
		return
	}
	if slices.Contains(events, "INVOKE") {
		refuseRuntime(w, http.StatusForbidden, "Extension.InvalidEventType", "INVOKE events are not emulated; register for SHUTDOWN or for none")
		return
	}
	id := uuid.Must(uuid.NewV4()).String()
	e.mu.Lock()
	full := len(e.extensions) >= maxExtensions
	if !full {
		e.extensions[id] = &extension{wantsShutdown: slices.Contains(events, "SHUTDOWN")}
	}
	e.mu.Unlock()
	if full {
		refuseRuntime(w, http.StatusForbidden, "Extension.TooManyExtensions", "An environment has at most 10 extensions")
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", id)
	writeJSON(w, http.StatusOK, struct {
		Name    string `json:"functionName"`
		Version string `json:"functionVersion"`
		Handler string `json:"handler"`
	}{e.function.Name, Version, "bootstrap"})
}

func readEvents(body io.Reader) ([]string, error) {
	var registration struct {
		Events []string `json:"events"`
	}
	err := json.UnmarshalRead(io.LimitReader(body, maxExtensionRegisterBytes), &registration)
	return registration.Events, err
}

// nextEvent waits for the shutdown. An extension that did not register for it waits until its process ends.
func (e *environment) nextEvent(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	registered := e.extensions[r.Header.Get("Lambda-Extension-Identifier")]
	e.mu.Unlock()
	if registered == nil {
		refuseRuntime(w, http.StatusForbidden, "Extension.InvalidExtensionIdentifier", "No such extension is registered")
		return
	}
	var shutdown <-chan struct{}
	if registered.wantsShutdown {
		shutdown = e.stopping
	}
	select {
	case <-shutdown:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"eventType":"SHUTDOWN","shutdownReason":"spindown"}`)
	case <-r.Context().Done():
	case <-e.exited:
	}
}
