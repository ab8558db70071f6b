package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/tests/devtest"
)

// audited is what `millrace audit --json` prints, as far as tests look at it.
type audited struct {
	Balanced bool
	Journal  struct{ Events, Unrouted int }
	Sinks    map[string]struct {
		Accepted, Doubled, Missing int
		Once                       int `json:"delivered_once"`
		Dead                       int `json:"dead_lettered"`
		InFlight                   int `json:"in_flight"`
		Given                      int `json:"given_up"`
		Unlisted                   int
	}
	NotCompared map[string]string `json:"not_compared"`
	Events      []auditedEvent
}

// preview is a best-effort sink in startAudited's configuration, on a port where nobody listens.
const preview = "preview"

type auditedEvent struct {
	Verdict, Sink, ID string
	Place             struct {
		Where, Sink, Class string
		Status             int
	}
}

// startAudited starts a stack with a demo sink, "one", and a file sink, "archive", whose file it returns. Orders go to
// both, pages to the file only, trials also to preview, and noise nowhere.
func startAudited(t *testing.T) (s *stack, archive string) {
	t.Helper()
	s = &stack{one: startSink(t)}
	path := filepath.Join(t.TempDir(), "millrace.yaml")
	text := fmt.Sprintf(`version: 1
keys:
  - { name: web, sha256: "d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9", tenant: acme } # phc_demo
sinks:
  one: { type: http, url: "%s" }
  archive: { type: file, path: out/archive.ndjson }
  preview: { type: http, url: "http://127.0.0.1:1", mode: fail_open }
routes:
  - { match: { type: noise }, to: [] }
  - { match: { type: page }, to: [archive] }
  - { match: { type: trial }, to: [archive, preview] }
  - { to: [one, archive] }
flush: { max_age: 0s }
`, s.one.URL())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Dev = devtest.Start(t, devtest.Options{Config: path, Args: []string{"--drain", "100ms"}})
	return s, filepath.Join(s.Dir, "out", "archive.ndjson")
}

// audit runs `millrace audit` and returns its exit code and report.
func (s *stack) audit(t *testing.T, args ...string) (code int, report audited) {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(devtest.Root(t), "bin", "millrace"), //nolint:gosec // ours
		append([]string{"audit", "--json", "--aws", s.AWS}, args...)...)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("millrace audit printed %q, %q: %v", out, stderr.String(), err)
	}
	return command.ProcessState.ExitCode(), report
}

// lines reads a file of lines. While there is no file, there is one empty line.
func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func writeLines(t *testing.T, path string, lines []string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Orders 0 and 1 are delivered, orders 2 to 4 are dead letters of sink one, the rest concerns one sink or none.
func TestAudit_TellsWhereEveryEventIs(t *testing.T) {
	t.Parallel()
	s, archive := startAudited(t)
	first := s.send(t, "good", 2)
	post(t, s.API+"/v1/ingest", []byte(`{"id":"page-1","type":"page"}`+"\n"+`{"id":"noise-1","type":"noise"}`))
	until(t, "the sinks have the first events", func() bool { return has(s.one, first)() && len(lines(t, archive)) == 3 })
	s.one.Behave(demosink.Behaviour{Status: 400})
	dead := s.send(t, "dead", 3)
	until(t, "three orders are dead letters", func() bool {
		_, report := s.audit(t)
		return report.Sinks["one"].Dead == 3 && report.Sinks["archive"].Once == 6
	})
	code, report := s.audit(t, "--strict")
	if code != 0 || !report.Balanced || report.Journal.Events != 7 || report.Journal.Unrouted != 1 {
		t.Errorf("exit code %d, balanced %v, journal %+v; want 0, true, 7 events of which 1 goes nowhere", code, report.Balanced, report.Journal)
	}
	if one := report.Sinks["one"]; one.Accepted != 5 || one.Once != 2 || one.Missing+one.Doubled+one.InFlight+one.Unlisted != 0 {
		t.Errorf("sink one stands at %+v, want 5 accepted, 2 delivered once, 3 dead", one)
	}
	for i, event := range report.Events {
		if event.Verdict != "dead_lettered" || event.ID != dead[i] || event.Place.Where != "dead letters" ||
			event.Place.Sink != "one" || event.Place.Class != "permanent" || event.Place.Status != 400 {
			t.Errorf("event %d is %+v, want the dead letter %s", i, event, dead[i])
		}
	}
	s.one.Behave(demosink.Behaviour{})
	s.millrace(t, "replay", "--yes")
	until(t, "the letters are delivered", has(s.one, dead))
	if code, report := s.audit(t, "--strict"); code != 0 || len(report.Events) > 0 || report.Sinks["one"].Once != 5 {
		t.Errorf("after the replay: exit code %d, %+v; want every event delivered once", code, report)
	}
}

func TestAudit_NamesWhatASinkLostOrHasTwice(t *testing.T) {
	t.Parallel()
	s, archive := startAudited(t)
	ids := s.send(t, "order", 30)
	until(t, "both sinks have all", func() bool { return has(s.one, ids)() && len(lines(t, archive)) == len(ids) })
	kept := lines(t, archive)
	find := func(id string) int {
		return slices.IndexFunc(kept, func(line string) bool { return strings.Contains(line, `"`+id+`"`) })
	}
	kept = append(kept, kept[find(ids[9])])                  // doubled
	kept = slices.Delete(kept, find(ids[7]), find(ids[7])+1) // lost
	writeLines(t, archive, kept)
	want := []auditedEvent{{Verdict: "missing", Sink: "archive", ID: ids[7]}, {Verdict: "doubled", Sink: "archive", ID: ids[9]}}
	want[0].Place.Where, want[1].Place.Where = "nowhere", "sink"
	code, report := s.audit(t)
	if diff := cmp.Diff(want, report.Events); diff != "" || code != 1 || report.Balanced {
		t.Errorf("exit code %d, balanced %v, want 1 and false; events (-want +got):\n%s", code, report.Balanced, diff)
	}
	writeLines(t, archive, append(kept, fmt.Sprintf(`{"id":%q,"source":"web","tenant":"acme"}`, ids[7])))
	if code, report := s.audit(t); code != 0 || !report.Balanced || report.Sinks["archive"].Doubled != 1 {
		t.Errorf("found again: exit code %d, %+v; want 0, with one doubled", code, report)
	}
	if code, _ := s.audit(t, "--strict"); code != 1 {
		t.Errorf("strict: exit code %d, want 1 for the doubled one", code)
	}
	list := filepath.Join(t.TempDir(), "ids")
	writeLines(t, list, ids[1:])
	if code, report := s.audit(t, "--sink", "one="+list); code != 1 || report.Sinks["one"].Missing != 1 || report.Events[0].ID != ids[0] {
		t.Errorf("a list of ids: exit code %d, %+v; want %s missing at one", code, report, ids[0])
	}
}

func TestAudit_KnowsWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	s, archive := startAudited(t)
	post(t, s.API+"/v1/ingest", []byte(`{"id":"trial-1","type":"trial"}`))
	until(t, "the archive has it", func() bool { return slices.ContainsFunc(lines(t, archive), func(l string) bool { return l != "" }) })
	none := filepath.Join(t.TempDir(), "none")
	writeLines(t, none, nil)
	until(t, "the flush has said what it gave up", func() bool {
		_, report := s.audit(t, "--sink", preview+"="+none)
		return report.Sinks[preview].Given == 1
	})
	code, report := s.audit(t, "--strict", "--sink", preview+"="+none)
	want := auditedEvent{Verdict: "given_up", Sink: preview, ID: "trial-1"}
	want.Place.Where = "dropped"
	if diff := cmp.Diff([]auditedEvent{want}, report.Events); diff != "" || code != 0 {
		t.Errorf("exit code %d, want 0; events (-want +got):\n%s", code, diff)
	}
	if _, report := s.audit(t); report.NotCompared[preview] == "" {
		t.Errorf("without a list, preview is compared: %+v", report)
	}
}
