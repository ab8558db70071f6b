package telemetry

import (
	"bytes"
	"sync"

	"github.com/millrace-dev/millrace/pkg/ledger"
)

// maxTotals bounds the sums that are kept, against endless new names.
const maxTotals = 10_000

// Totals sums the metric lines in the output of functions. It is an io.Writer, to stand
// behind a function's standard output; other lines pass without a trace. The zero value
// is ready; it is safe for concurrent use, if each writer writes whole lines.
type Totals struct {
	mu   sync.Mutex
	sums ledger.Ledger
	// known are the keys in sums; at most maxTotals.
	known map[ledger.Key]bool
	// rest is the start of a line whose end is not here yet.
	rest []byte
	// overlong is set while the rest of a line that is too long goes by.
	overlong bool
}

// Write reads the lines in p. A line may come in several writes. It never fails.
func (t *Totals) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			t.keep(p)
			return n, nil
		}
		t.line(p[:end])
		p = p[end+1:]
	}
}

// line adds the counts of a line, of which rest is the start.
func (t *Totals) line(end []byte) {
	line := end
	if len(t.rest) > 0 {
		t.keep(end)
		line = t.rest
	}
	if !t.overlong {
		for _, e := range ParseLine(line) {
			t.add(e)
		}
	}
	t.rest, t.overlong = t.rest[:0], false
}

// keep stores the start of a line until its end comes.
func (t *Totals) keep(piece []byte) {
	if len(t.rest)+len(piece) > maxLineBytes {
		t.rest, t.overlong = t.rest[:0], true
	}
	if !t.overlong {
		t.rest = append(t.rest, piece...)
	}
}

func (t *Totals) add(e ledger.Entry) {
	if !t.known[e.Key] {
		if len(t.known) == maxTotals {
			return
		}
		if t.known == nil {
			t.known = map[ledger.Key]bool{}
		}
		t.known[e.Key] = true
	}
	t.sums.Add(e.Key, e.Count)
}

// Entries returns the sums so far, sorted.
func (t *Totals) Entries() []ledger.Entry { return t.sums.Snapshot() }
