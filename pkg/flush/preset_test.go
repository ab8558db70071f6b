package flush_test

import (
	"fmt"
	"testing"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

// Every preset of the sender can be written in the file, and makes a sink.
func TestFromConfig_EveryPreset(t *testing.T) {
	t.Parallel()
	for _, preset := range httpsend.Presets() {
		c, err := config.Parse("millrace.yaml", fmt.Appendf(nil, `version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }]
sinks: { there: { type: http, url: "http://127.0.0.1:1", preset: %s } }
routes: [{ to: [there] }]
`, preset))
		if err != nil {
			t.Errorf("%s: %v", preset, err)
			continue
		}
		if _, err := flush.FromConfig(c, flush.Options{}); err != nil {
			t.Errorf("%s: %v", preset, err)
		}
	}
}

// Results per event reach the flush from the file: what a reply refuses is a dead letter.
func TestFromConfig_Results(t *testing.T) {
	t.Parallel()
	server := sinktest.NewServer(t, sinktest.ServerOptions{Respond: items(on("e001", "e001", 400))})
	for key, want := range map[string]int{"preset: langfuse": 1, "results: langfuse": 1, "preset: langfuse, results: none": 0, "preset: loki": 0} {
		server.Respond(items(on("e001", "e001", 400)))
		c, err := config.Parse("millrace.yaml", fmt.Appendf(nil, `version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }]
sinks: { there: { type: http, url: "%s", %s } }
routes: [{ to: [there] }]
`, server.Destination().URL, key))
		if err != nil {
			t.Fatal(err)
		}
		var waiting, letters box
		o, err := flush.FromConfig(c, flush.Options{Queue: &waiting, DeadLetters: &letters, Logger: discard()})
		if err != nil {
			t.Fatal(err)
		}
		f, err := flush.New(o)
		if err != nil {
			t.Fatal(err)
		}
		f.Flush(t.Context(), []queue.Received{message(t, "1", meta(), orders(3))})
		if got := letters.ids(t, "there"); len(got) != want || len(waiting.got) != 0 {
			t.Errorf("%s: letters %v and %d residues, want %d letters", key, got, len(waiting.got), want)
		}
		if err := o.Targets["there"].Sink.(sink.Closer).Close(); err != nil { //nolint:forcetypeassert // an http sink is one
			t.Error(err)
		}
	}
}
