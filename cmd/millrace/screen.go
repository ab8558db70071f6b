package main

import (
	"fmt"
	"strings"
	"time"
)

// screen shows the books as they change: on a terminal a few lines that are redrawn in place, elsewhere one line whenever
// something moved.
type screen struct {
	console *console
	last    string // what was shown
	lines   int    // how many lines of the terminal it takes
}

func newScreen(c *console) *screen { return &screen{console: c} }

// show draws the books if they differ from what is there.
func (s *screen) show(b books) {
	if s.console.terminal {
		s.redraw(table(b))
		return
	}
	if line := logLine(b); line != s.last {
		if s.last != "" || b.Ingest.Received > 0 || b.DeadLetters.Total() > 0 {
			s.console.say("%s %s", time.Now().Format(time.TimeOnly), line)
		}
		s.last = line
	}
}

// redraw replaces the lines of the last drawing.
func (s *screen) redraw(text string) {
	if text == s.last {
		return
	}
	if s.lines > 0 {
		_, _ = fmt.Fprintf(s.console.err, "\x1b[%dA\x1b[J", s.lines) // up to the first line, clear to the end
	}
	_, _ = fmt.Fprint(s.console.err, text)
	s.last, s.lines = text, strings.Count(text, "\n")
}

// table draws the books in a few lines.
func table(b books) string {
	var t strings.Builder
	fmt.Fprintf(&t, "ingest   received %d  accepted %d  refused %d%s\n", b.Ingest.Received, b.Ingest.Accepted, b.Ingest.Refused,
		others(tally{"filtered", b.Ingest.Filtered}, tally{"sampled", b.Ingest.Sampled}, tally{"limited", b.Ingest.Limited}))
	fmt.Fprintf(&t, "queue    %s waiting, %d being delivered, %d delayed\n", plural(b.Queue.Visible, "pack"), b.Queue.InFlight, b.Queue.Delayed)
	for _, name := range b.sinkNames() {
		s := b.Sinks[name]
		fmt.Fprintf(&t, "sink     %s: routed %d  delivered %d  in flight %d  dead letters %d%s", name, s.Routed, s.Delivered, s.InFlight, s.DeadLettered,
			others(tally{"deduped", s.Deduped}, tally{"in conflict", s.Conflict}, tally{"rejected", s.Rejected}, tally{"dropped", s.Dropped},
				tally{"returned", s.Returned}))
		if s.Retried+s.Deferred > 0 {
			fmt.Fprintf(&t, "  (retried %d, deferred %d)", s.Retried, s.Deferred)
		}
		t.WriteByte('\n')
	}
	fmt.Fprintf(&t, "dead     %s: millrace dlq ls\n", plural(b.DeadLetters.Total(), "letter"))
	return t.String()
}

// tally is a count with its name.
type tally struct {
	name  string
	count int
}

// others are the counts that are zero on most days, where they are not.
func others(tallies ...tally) string {
	var t strings.Builder
	for _, counted := range tallies {
		if counted.count != 0 {
			fmt.Fprintf(&t, "  %s %d", counted.name, counted.count)
		}
	}
	return t.String()
}

// logLine puts the books on one line.
func logLine(b books) string {
	parts := []string{fmt.Sprintf("received=%d accepted=%d refused=%d", b.Ingest.Received, b.Ingest.Accepted, b.Ingest.Refused)}
	for _, name := range b.sinkNames() {
		s := b.Sinks[name]
		parts = append(parts, fmt.Sprintf("%s: delivered=%d in_flight=%d dead=%d", name, s.Delivered, s.InFlight, s.DeadLettered))
	}
	parts = append(parts, fmt.Sprintf("queue=%d dlq=%d", b.Queue.Total(), b.DeadLetters.Total()))
	return strings.Join(parts, " | ")
}
