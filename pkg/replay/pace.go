package replay

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"
)

// maxRate is the highest rate that can be asked for, in events a second: more than the
// queues of one account ever moved.
const maxRate = 100_000_000

// pace keeps a run to a rate of events, on average and within any few seconds: what is
// sent becomes a debt of time that is waited for before anything else is sent. The nil
// pace is in no hurry to wait.
type pace struct {
	limiter *rate.Limiter
	debt    int // events that were sent and not waited for
}

func newPace(eventsPerSecond float64) *pace {
	if eventsPerSecond == 0 {
		return nil
	}
	p := &pace{limiter: rate.NewLimiter(rate.Limit(eventsPerSecond), max(1, int(math.Ceil(eventsPerSecond))))}
	// It starts empty: runs that follow each other would get a second's worth each.
	p.limiter.AllowN(time.Now(), p.limiter.Burst())
	return p
}

// share is how many of the letters go in one call: those of a second, at least one.
func (p *pace) share(chosen []choice) int {
	if p == nil {
		return len(chosen)
	}
	events := 0
	for i := range chosen {
		if events += chosen[i].count.Events; events > p.limiter.Burst() {
			return max(1, i)
		}
	}
	return len(chosen)
}

func (p *pace) owe(events int) {
	if p != nil {
		p.debt += events
	}
}

// settle waits until the debt is paid, or says at once that ctx would end before.
func (p *pace) settle(ctx context.Context) error {
	for p != nil && p.debt > 0 {
		n := min(p.debt, p.limiter.Burst())
		if err := p.limiter.WaitN(ctx, n); err != nil {
			return fmt.Errorf("wait for the rate: %w", err)
		}
		p.debt -= n
	}
	return nil
}
