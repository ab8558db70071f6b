package main

import (
	"fmt"
	"strings"
	"time"
)

// progressInterval is how often progress is told.
const progressInterval = time.Second

// progress tells of a long run now and then: on a terminal in one line that is redrawn, elsewhere in a line a second.
type progress struct {
	console *console
	last    time.Time
}

func newProgress(c *console, started time.Time) *progress {
	return &progress{console: c, last: started}
}

func (p *progress) sent(r sendReport) {
	if time.Since(p.last) < progressInterval {
		return
	}
	p.last = time.Now()
	p.tell(fmt.Sprintf("%d sent, %d accepted, %d refused", r.Sent, r.Accepted, r.Refused))
}

func (p *progress) tell(line string) {
	if p.console.terminal {
		_, _ = fmt.Fprintf(p.console.err, "\r\x1b[K%s\r", line)
		return
	}
	p.console.say("%s", line)
}

// clear takes the line away that is redrawn.
func (p *progress) clear() {
	if p.console.terminal {
		_, _ = fmt.Fprint(p.console.err, "\r\x1b[K")
	}
}

// barWidth is how many characters a bar has.
const barWidth = 24

// bar tells how much is done after some time, how fast it goes and what time is left. An expected of 0 is not known.
func bar(done, expected int, took time.Duration) string {
	perSecond := float64(done) / max(took.Seconds(), time.Millisecond.Seconds())
	if expected == 0 {
		return fmt.Sprintf("%d events, %.0f/s", done, perSecond)
	}
	share := min(1, float64(done)/float64(expected))
	full := int(share * barWidth)
	line := fmt.Sprintf("[%s%s] %3.0f %%  %d of %d events, %.0f/s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full),
		share*100, done, expected, perSecond) //nolint:mnd // percent
	if done > 0 && done < expected {
		left := time.Duration(float64(expected-done) / perSecond * float64(time.Second))
		line += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return line
}
