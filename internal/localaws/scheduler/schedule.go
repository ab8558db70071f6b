package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/lifetime"
)

// TargetFunc invokes a schedule's function with its input. An error is tried again.
type TargetFunc func(ctx context.Context, function string, input []byte) error

const (
	// MaxRetries is how often a failed invocation is tried again. Source: RetryPolicy, Scheduler API reference. With the waits below
	// they are used up within the 24 hours of its MaximumEventAgeInSeconds.
	MaxRetries = 185

	firstBackoff = time.Second
	maxBackoff   = 5 * time.Minute
)

// Schedule describes one schedule.
type Schedule struct {
	// Name appears in logs and errors.
	Name string
	// Expression is rate(…), cron(…) or at(…).
	Expression string
	// TimeZone is the IANA name of the zone of cron and at expressions; default UTC.
	TimeZone string
	// Function is the name of the function to invoke.
	Function string
	// Input is the JSON that the function gets; default {}.
	Input []byte
}

// Scheduler runs schedules. It is safe for concurrent use.
type Scheduler struct {
	target TargetFunc
	logger *slog.Logger
	life   *lifetime.Lifetime
}

// Start checks all schedules, reports every problem at once, and begins to wait. A nil logger means silence.
func Start(schedules []Schedule, target TargetFunc, logger *slog.Logger) (*Scheduler, error) {
	expressions := make([]Expression, len(schedules))
	var problems []error
	for i, schedule := range schedules {
		var err error
		if expressions[i], err = Parse(schedule.Expression, schedule.TimeZone); err != nil {
			problems = append(problems, fmt.Errorf("schedule %s: %w", schedule.Name, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Scheduler{target, logger, lifetime.New("scheduler")}
	for i, schedule := range schedules {
		if len(schedule.Input) == 0 {
			schedule.Input = []byte("{}")
		}
		s.life.Go(func() { s.keep(schedule, expressions[i]) })
	}
	return s, nil
}

// Stop ends all schedules and waits for invocations in progress until ctx ends, then cancels them. Retries that wait are
// given up. It is idempotent.
func (s *Scheduler) Stop(ctx context.Context) error { return s.life.End(ctx) }

// keep follows one schedule to its end. Its invocations may overlap, as on AWS: a slow target delays none.
func (s *Scheduler) keep(schedule Schedule, expression Expression) {
	at := time.Now()
	if _, isRate := expression.(rate); !isRate {
		at = expression.Next(at)
	}
	for !at.IsZero() && s.life.Sleep(time.Until(at)) {
		s.life.Go(func() { s.fire(schedule) })
		at = expression.Next(at)
	}
}

// fire invokes the target until it takes the input, its retries are used up, or the scheduler stops.
func (s *Scheduler) fire(schedule Schedule) {
	wait := firstBackoff
	for retries := 0; ; retries++ {
		err := s.target(s.life.Uncut, schedule.Function, schedule.Input)
		if err == nil {
			return
		}
		if retries == MaxRetries || !s.life.Sleep(wait) {
			s.logger.Warn("schedule missed", "schedule", schedule.Name, "retries", retries, "error", err)
			return
		}
		wait = min(2*wait, maxBackoff)
	}
}
