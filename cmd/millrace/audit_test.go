package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/audit"
	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// stackFiles are what a person has who audits a stack on AWS: a configuration with the sinks archive, warehouse and demo, and
// the lines of three accepted events among others.
func stackFiles(t *testing.T, demo string) (configuration, accepted string) {
	t.Helper()
	directory := t.TempDir()
	configuration = filepath.Join(directory, "millrace.yaml")
	text := fmt.Sprintf(`version: 1
keys:
  - { name: web, sha256: "d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9", tenant: acme }
sinks:
  archive: { type: file, path: %q }
  warehouse: { type: http, url: "https://warehouse.example/in" }
  demo: { type: http, url: %q }
routes:
  - { to: [archive, warehouse, demo] }
`, filepath.Join(directory, "archive.ndjson"), demo)
	var lines strings.Builder
	lines.WriteString(`{"timestamp":"2026-03-01T10:00:00Z","message":"cold start"}` + "\n")
	var events []event.Event
	for n := range 3 {
		events = append(events, event.Event{ID: fmt.Sprintf("warehouse-%d", n), Source: "web", Type: "signup", Kind: "event", Tenant: "acme", Receiver: "generic"})
	}
	telemetry.AcceptedLog(&lines)(t.Context(), events)
	accepted = filepath.Join(directory, "accepted.ndjson")
	for path, content := range map[string]string{configuration: text, accepted: lines.String()} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return configuration, accepted
}

func TestAudit_OfAStack_ReadsFilesAndDeadLetters(t *testing.T) {
	t.Parallel()
	demo := httptest.NewServer(demosink.New(demosink.Options{}))
	t.Cleanup(demo.Close)
	configuration, accepted := stackFiles(t, demo.URL)
	endpoint, service := newSQS(t, http.NotFoundHandler())
	put(t, service, refusedBy("warehouse", "transient", 503), 2) // warehouse-0 and warehouse-1, of tenant acme
	args := []string{"audit", "--aws", endpoint, "--config", configuration, "--accepted", accepted, "--sink", "warehouse=-"}
	got := execute(t.Context(), "warehouse-2\nwarehouse-2\nolder\n", append(args, "--json")...)
	var report auditReport
	got.decode(t, &report)
	want := map[string]audit.Counts{
		"archive":   {Accepted: 3, Missing: 3},
		"demo":      {Accepted: 3, Missing: 3},
		"warehouse": {Accepted: 3, Doubled: 1, DeadLettered: 2, Unlisted: 1},
	}
	if diff := cmp.Diff(want, report.Sinks); diff != "" || got.code != exitFailed || report.Balanced || report.Journal.Events != 3 {
		t.Errorf("exit code %d, journal %+v; sinks (-want +got):\n%s", got.code, report.Journal, diff)
	}
	place := audit.Place{
		Where: audit.DeadLetters, Sink: "warehouse", Class: "transient", Status: 503, Stop: "attempts exhausted", Cause: "upstream said\nno", Attempts: 3,
	}
	for _, f := range report.Events[7:] {
		place.Pack = f.Place.Pack
		if diff := cmp.Diff(place, f.Place); diff != "" || f.Verdict != audit.DeadLettered || place.Pack == "" {
			t.Errorf("%s of %s is %s; place (-want +got):\n%s", f.ID, f.Sink, f.Verdict, diff)
		}
	}
	if left := waiting(t, service); left != 1 {
		t.Errorf("%d letters can be received, want it back", left)
	}
	people := execute(t.Context(), "warehouse-2\nwarehouse-2\n", append(args, "--limit", "8")...)
	for _, text := range []string{
		"accepted 3 events from ", "warehouse  3       0     1        0          2     0         0",
		"missing        archive    acme    web     warehouse-0", "on no queue and not at the sink", "at the sink 2 times, accepted 1 time",
		"transient 503: upstream said no", "and 1 more: raise --limit",
	} {
		people.want(t, exitFailed, text, "archive lacks 3 and has 0 more than once, demo lacks 3")
	}
}

func TestAudit_TellsWhyASinkIsNotCompared(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"ok":true}`)) }))
	t.Cleanup(other.Close)
	configuration, accepted := stackFiles(t, other.URL)
	endpoint, _ := newSQS(t, http.NotFoundHandler())
	var report auditReport
	execute(t.Context(), "", "audit", "--json", "--aws", endpoint, "--config", configuration, "--accepted", accepted, "--limit", "0").decode(t, &report)
	if len(report.Sinks) != 1 || len(report.Events) != 0 || report.More != 3 ||
		!strings.Contains(report.NotCompared["demo"], "tells no ids") || !strings.Contains(report.NotCompared["warehouse"], "--sink warehouse=FILE") {
		t.Errorf("report %+v, want only archive compared, and why the others are not", report)
	}
}

func TestAudit_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	configuration, accepted := stackFiles(t, "https://demo.example")
	endpoint, _ := newSQS(t, http.NotFoundHandler())
	inMemoryDev, _ := newSQS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"accepted":""}`)) }))
	empty := t.TempDir()
	newDev, _ := newSQS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, `{"accepted":%q}`, empty) }))
	garbled, _ := newSQS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == setupPath {
			_, _ = w.Write([]byte(`{"accepted":"","sinks":{"a":{"type":"file","file":"/none"}}}`))
		}
	}))
	stack := func(args ...string) []string {
		return append([]string{"audit", "--aws", endpoint, "--config", configuration, "--accepted", accepted}, args...)
	}
	for _, row := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing there", []string{"audit", "--aws", "http://127.0.0.1:1"}, exitUnreachable, "nothing answers"},
		{"no dev and no configuration", []string{"audit", "--aws", endpoint}, exitUsage, "say with --config"},
		{"no journal", []string{"audit", "--aws", endpoint, "--config", configuration}, exitUsage, "say with --accepted"},
		{"a dev that keeps nothing", []string{"audit", "--aws", inMemoryDev}, exitUsage, "--data memory"},
		{"a dev that has accepted nothing", []string{"audit", "--aws", newDev}, exitUsage, "nothing was accepted yet"},
		{"contents that break off", []string{"audit", "--aws", garbled, "--accepted", accepted}, exitFailed, "read /_millrace/contents"},
		{"a journal that is not there", []string{"audit", "--aws", endpoint, "--config", configuration, "--accepted", "/none"}, exitFailed, "/none"},
		{"a configuration that is not there", []string{"audit", "--aws", endpoint, "--config", "/none", "--accepted", accepted}, exitUsage, "/none"},
		{"a sink without a file", stack("--sink", "archive"), exitUsage, "is not NAME=FILE"},
		{"a sink that is none", stack("--sink", "archiv=x"), exitUsage, "there is no such sink, but [archive demo warehouse]"},
		{"an output that is not there", stack("--sink", "archive=/none"), exitUsage, "/none"},
		{"standard input for two sinks", stack("--sink", "archive=-", "--sink", "warehouse=-"), exitUsage, "standard input is read once"},
		{"a negative limit", stack("--limit", "-1"), exitUsage, "--limit"},
		{"a queue that is none", stack("--dead-letters", "none"), exitFailed, "find queue none"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			execute(t.Context(), "", row.args...).want(t, row.code, "", row.want)
		})
	}
}

func TestCountsURL_TellsOnlyAddressesOfThisMachine(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://user:secret@127.0.0.1:9000/in?key=secret": "http://127.0.0.1:9000",
		"http://localhost/in":                             "http://localhost",
		"https://[::1]:8/":                                "https://[::1]:8",
		"https://example.com/in":                          "",
		"http://10.0.0.1:9000":                            "",
		"":                                                "",
		"://":                                             "",
	} {
		if got := countsURL(url); got != want {
			t.Errorf("countsURL(%q) = %q, want %q", url, got, want)
		}
	}
}

func TestAuditRemarks_SayWhatWasNotCompared(t *testing.T) {
	t.Parallel()
	lines := auditRemarks(&auditReport{Journal: audit.Summary{Removed: 2}})
	if len(lines) != 1 || !strings.Contains(lines[0], "2 files of the journal were removed meanwhile") {
		t.Errorf("remarks %q, want one on the files that are gone", lines)
	}
}

func TestLastKnown_OfEqualIDs_SaysSo(t *testing.T) {
	t.Parallel()
	f := audit.Finding{Verdict: audit.Missing, Place: audit.Place{Where: audit.Nowhere}}
	if got, want := lastKnown(&f), "on no queue and not at the sink"; got != want {
		t.Errorf("last known %q, want %q", got, want)
	}
	f.Alike = true
	if got := lastKnown(&f); !strings.Contains(got, "or another event with this id") {
		t.Errorf("last known %q does not say that others have the id", got)
	}
}
