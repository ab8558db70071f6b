package e2e

import (
	"encoding/json"
	"testing"

	"github.com/millrace-dev/millrace/internal/demosink"
)

// report is what `millrace replay --json` prints.
type report struct {
	DryRun   bool `json:"dry_run"`
	Scanned  int  `json:"scanned"`
	Replayed int  `json:"replayed"`
	Events   int  `json:"events"`
	Counts   []struct {
		Sink, Class, Kind string
		Letters, Events   int
	} `json:"counts"`
}

func (s *stack) replay(t *testing.T, args ...string) report {
	t.Helper()
	var r report
	out := s.millrace(t, append([]string{"replay", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("millrace replay printed %s: %v", out, err)
	}
	return r
}

// Events that a sink refuses become dead letters; a dry run counts them, a replay
// delivers them to that sink only, and a second one changes nothing more.
func TestReplay_DryRunThenForReal_DeliversToTheFailedSinkOnly(t *testing.T) {
	t.Parallel()
	s := start(t, knobs{})
	s.two.Behave(demosink.Behaviour{Status: 400})
	accepted := s.send(t, "replay", 300)
	until(t, "the healthy sink has everything", has(s.one, accepted))
	until(t, "the dead letters hold everything", func() bool {
		return len(on(s.contents(t).DeadLetters, "two")) == len(accepted)
	})
	s.two.Behave(demosink.Behaviour{})
	for range 2 {
		r := s.replay(t, "--sink", "two", "--dry-run")
		if !r.DryRun || r.Events != 300 || len(r.Counts) != 1 || r.Counts[0].Sink != "two" || r.Counts[0].Class != "permanent" {
			t.Fatalf("dry run: %+v, want 300 events of class permanent for sink two", r)
		}
	}
	if r := s.replay(t, "--sink", "one"); r.Replayed != 0 {
		t.Fatalf("replay of the healthy sink sent %d letters", r.Replayed)
	}
	if r := s.replay(t, "--sink", "two"); r.Events != 300 {
		t.Fatalf("replay: %+v, want 300 events", r)
	}
	until(t, "the sink has everything", has(s.two, accepted))
	until(t, "the queue is empty", func() bool { return len(s.contents(t).Queue) == 0 })
	if r := s.replay(t, "--sink", "two"); r.Replayed != 0 {
		t.Fatalf("a second replay sent %d letters", r.Replayed)
	}
	exactly(t, "one", s.one, accepted)
	exactly(t, "two", s.two, accepted)
	s.balanced(t, "two", s.two, accepted)
}
