package main

import (
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/processor/route"
)

// setup is what an audit has to know of a configuration. It holds no secrets.
type setup struct {
	// Accepted is the directory with the journal of accepted events; empty when nothing is kept.
	Accepted string       `json:"accepted"`
	Routes   []route.Rule `json:"routes"`
	// ByFields fit the events of which fields decide what their duplicates are.
	ByFields []route.Match        `json:"by_fields"`
	Sinks    map[string]sinkSetup `json:"sinks"`
}

// sinkSetup says where a sink tells which events it has.
type sinkSetup struct {
	Type string `json:"type"`
	// File of a file sink, absolute.
	File string `json:"file,omitempty"`
	// Counts is the address of a sink on this machine: it tells its ids, if it is a demo sink.
	Counts string `json:"counts,omitempty"`
}

// newSetup describes a configuration. Relative paths of sinks start at directory; data is where things are kept, empty for
// nowhere.
func newSetup(loaded *config.Config, directory, data string) setup {
	s := setup{Routes: make([]route.Rule, len(loaded.Routes)), Sinks: make(map[string]sinkSetup, len(loaded.Sinks))}
	for i, r := range loaded.Routes {
		s.Routes[i] = route.Rule{Match: route.Match(r.Match), To: r.To}
	}
	for _, r := range loaded.Dedup.Rules {
		s.ByFields = append(s.ByFields, route.Match(r.Match))
	}
	if data != "" {
		s.Accepted = filepath.Join(data, "accepted")
	}
	for name := range loaded.Sinks {
		sink := loaded.Sinks[name]
		described := sinkSetup{Type: sink.Type}
		switch sink.Type {
		case config.SinkFile:
			described.File = sink.Path
			if !filepath.IsAbs(sink.Path) {
				described.File = filepath.Join(directory, sink.Path)
			}
		case config.SinkHTTP:
			described.Counts = countsURL(sink.URL.Reveal())
		}
		s.Sinks[name] = described
	}
	return s
}

// countsURL is the address of a sink that may be a demo sink. Only what is on this machine is asked, and nothing of its
// URL but the address is told, because the rest may hold credentials.
func countsURL(sink string) string {
	u, err := url.Parse(sink)
	if err != nil || !isLoopback(u.Hostname()) {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// serveSetup answers how this cloud is set up.
func (c *cloud) serveSetup(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.MarshalWrite(w, c.setup, json.Deterministic(true)) // a client that has gone is no trouble of ours
}
