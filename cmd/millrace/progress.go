package main

import (
	"fmt"
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
	line := fmt.Sprintf("%d sent, %d accepted, %d refused", r.Sent, r.Accepted, r.Refused)
	if p.console.terminal {
		_, _ = fmt.Fprintf(p.console.err, "\r\x1b[K%s\r", line)
		return
	}
	p.console.say("%s", line)
}
