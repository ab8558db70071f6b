package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	embeddedMemory  = "embedded, in memory"
	embeddedDurable = "embedded, durable"
	loopback        = "loopback"
	inProcess       = "in process"
)

// What the embedded SQS promises, on two cores that do nothing else.
const (
	leastMemory    = 18_000
	leastDurable   = 12_000
	leastInProcess = 30_000
	// leastDeep is the part of the empty queue's rate that is left with a million messages waiting.
	leastDeep = 0.8
	// mostResident bounds the resident memory of a queued message of 1 KB.
	mostResident = 2048
)

// rate is the median of the turns.
func (s *subject) rate() float64 {
	return median(s.samples, func(s sample) float64 { return s.perSecond })
}

func (s *subject) cpu() time.Duration {
	return median(s.samples, func(s sample) time.Duration { return s.cpu })
}

// residentPerMessage is 0 where nobody knows.
func (s *subject) residentPerMessage() int64 {
	if s.deep == 0 {
		return 0
	}
	return (s.full - s.empty) / int64(s.deep)
}

// shareOf is the part of another row's rate that this one has, round by round, because the machine has good and bad moments.
func (s *subject) shareOf(other *subject) float64 {
	round := -1
	return median(s.samples, func(mine sample) float64 {
		round++
		return mine.perSecond / other.samples[round].perSecond
	})
}

func median[T cmp.Ordered](samples []sample, of func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// table prints one row a server, in Markdown.
func table(out io.Writer, subjects []*subject) {
	fmt.Fprintln(out, "| server | transport | waiting | messages/s | of empty | server CPU a message | resident a waiting message |")
	fmt.Fprintln(out, "|---|---|--:|--:|--:|--:|--:|")
	for _, s := range subjects {
		share, cpu, resident := "", "", ""
		if s.deep > 0 {
			share = fmt.Sprintf("%.0f %%", 100*s.shareOf(empty(subjects, s)))
			resident = fmt.Sprintf("%d B", s.residentPerMessage())
		}
		if s.cpu() > 0 {
			cpu = fmt.Sprintf("%.1f µs", float64(s.cpu().Nanoseconds())/1000)
		}
		fmt.Fprintf(out, "| %s | %s | %d | %.1f k | %s | %s | %s |\n", s.name, s.transport, s.deep, s.rate()/1000, share, cpu, resident)
	}
}

// empty returns the row of the same server without waiting messages.
func empty(subjects []*subject, of *subject) *subject {
	for _, s := range subjects {
		if s.name == of.name && s.transport == of.transport && s.deep == 0 {
			return s
		}
	}
	return of
}

// promises returns what did not hold.
func promises(subjects []*subject) error {
	least := map[string]float64{
		embeddedMemory + loopback: leastMemory, embeddedDurable + loopback: leastDurable, embeddedMemory + inProcess: leastInProcess,
	}
	var broken []error
	for _, s := range subjects {
		if want := least[s.name+s.transport]; s.deep == 0 && s.rate() < want {
			broken = append(broken, fmt.Errorf("%s, %s: %.0f messages/s, want %.0f", s.name, s.transport, s.rate(), want))
		}
		if share := s.shareOf(empty(subjects, s)); share < leastDeep {
			broken = append(broken, fmt.Errorf("%s, %d waiting: %.0f %% of the rate of an empty queue, want %.0f %%", s.name, s.deep, 100*share, 100*leastDeep))
		}
		if resident := s.residentPerMessage(); resident >= mostResident {
			broken = append(broken, fmt.Errorf("%s: %d bytes resident a waiting message, want less than %d", s.name, resident, mostResident))
		}
	}
	return errors.Join(broken...)
}
