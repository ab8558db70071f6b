package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
)

// functionProcesses returns the processes of a function, the children of millrace dev.
func (s *stack) functionProcesses(t *testing.T, function string) []int {
	t.Helper()
	children, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, path := range children {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		// pid (name) state parent …; the name may hold spaces.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(s.PID) {
			continue
		}
		dir := filepath.Dir(path)
		binary, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || !strings.HasSuffix(binary, filepath.Join("dist", function, "bootstrap")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// Twenty kills of flush processes in the middle of a batch: no event is missing at a
// sink. Duplicates are what at-least-once allows; they are counted and reported.
func TestKill_FlushInMidBatch_LosesNothing(t *testing.T) {
	t.Parallel()
	const kills = 20
	s := start(t, knobs{args: []string{"--flush-timeout", "1s", "--visibility", "1s"}})
	// A slow answer keeps a batch under way long enough to be hit.
	s.one.Behave(demosink.Behaviour{Delay: 20 * time.Millisecond})
	var accepted []string
	for killed := 0; killed < kills; {
		accepted = append(accepted, s.send(t, fmt.Sprintf("kill%03d", len(accepted)/20), 20)...)
		requests := s.one.Stats().Requests
		until(t, "a batch is under way", func() bool { return s.one.Stats().Requests > requests || has(s.one, accepted)() })
		for _, pid := range s.functionProcesses(t, "flush") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
				killed++
			}
		}
		s.balanced(t, "one", s.one, accepted)
	}
	s.one.Behave(demosink.Behaviour{})
	until(t, "everything is delivered or a dead letter", func() bool {
		c := s.contents(t)
		if len(c.DeadLetters) > 0 {
			s.replay(t) // a pack that was killed five times; SQS moved it
		}
		return len(c.Queue)+len(c.DeadLetters) == 0 && has(s.one, accepted)() && has(s.two, accepted)()
	})
	for name, sink := range map[string]*demosink.Server{"one": s.one, "two": s.two} {
		stats := sink.Stats()
		t.Logf("sink %s: %d events, %d duplicates after %d kills", name, stats.Unique, stats.Duplicates, kills)
		if unknown := stats.Unique - len(slices.Compact(slices.Sorted(slices.Values(accepted)))); unknown != 0 {
			t.Errorf("sink %s has %d more ids than were accepted", name, unknown)
		}
	}
}
