package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// TargetFunc is invoked with the schedule's input. An error is tried again.
type TargetFunc func(ctx context.Context, input []byte) error

// Retry is AWS's retry policy for targets.
const (
	// DefaultMaxRetries is how often a failed invocation is tried again. Source: Scheduler's RetryPolicy.
	DefaultMaxRetries = 185
	// DefaultMaxAge is how long it is tried.
	DefaultMaxAge = 24 * time.Hour

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
	// Input is the JSON that the target gets; default {}.
	Input []byte
	// Target is invoked.
	Target TargetFunc
	// MaxRetries is how often a failed invocation is tried again; default 185, negative for never.
	MaxRetries int
}

// timetable is a schedule that has been checked.
type timetable struct {
	Schedule
	expression Expression
	first      time.Time
}

// check parses a schedule; now is when it begins.
func (s Schedule) check(now time.Time) (timetable, error) {
	location, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return timetable{}, fmt.Errorf("schedule %s: time zone: %w", s.Name, err)
	}
	expression, err := Parse(s.Expression, location)
	if err != nil {
		return timetable{}, fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	if s.Target == nil {
		return timetable{}, fmt.Errorf("schedule %s: it has no target", s.Name)
	}
	if len(s.Input) == 0 {
		s.Input = []byte("{}")
	}
	if s.MaxRetries == 0 {
		s.MaxRetries = DefaultMaxRetries
	}
	first := now
	if _, isRate := expression.(rate); !isRate {
		first = expression.Next(now)
	}
	return timetable{Schedule: s, expression: expression, first: first}, nil
}

// Scheduler runs schedules. It is safe for concurrent use.
type Scheduler struct {
	logger *slog.Logger
	// waiting ends at Stop, running when Stop runs out of patience.
	waiting, running  context.Context //nolint:containedctx // the life of the scheduler's own goroutines, no caller's
	stopWait, stopRun context.CancelFunc
	timetables        sync.WaitGroup
}

// Start checks all schedules, reports every problem at once, and begins to wait. A nil logger means silence.
func Start(schedules []Schedule, logger *slog.Logger) (*Scheduler, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	var (
		tables   []timetable
		problems []error
	)
	for _, schedule := range schedules {
		table, err := schedule.check(time.Now())
		tables, problems = append(tables, table), append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	s := &Scheduler{logger: logger}
	s.waiting, s.stopWait = context.WithCancel(context.Background())
	s.running, s.stopRun = context.WithCancel(context.Background())
	for _, table := range tables {
		s.timetables.Go(func() { s.keep(table) })
	}
	return s, nil
}

// Stop ends all schedules and waits for invocations in progress until ctx ends, then cancels them. Retries that wait are
// given up. It is idempotent.
func (s *Scheduler) Stop(ctx context.Context) error {
	s.stopWait()
	cut := context.AfterFunc(ctx, s.stopRun)
	s.timetables.Wait()
	if !cut() {
		return fmt.Errorf("scheduler: invocations in progress were cancelled: %w", context.Cause(ctx))
	}
	s.stopRun()
	return nil
}

// keep follows one timetable to its end. Invocations of one schedule may overlap, as on AWS: a slow target delays none.
func (s *Scheduler) keep(table timetable) {
	for at := table.first; !at.IsZero(); at = table.expression.Next(at) {
		if !s.sleep(time.Until(at)) {
			return
		}
		s.timetables.Go(func() { s.fire(table) })
	}
}

// fire invokes the target until it takes the input, its retries or its age are used up, or the scheduler stops.
func (s *Scheduler) fire(table timetable) {
	begin := time.Now()
	for retries := 0; ; retries++ {
		err := table.Target(s.running, table.Input)
		if err == nil {
			return
		}
		if retries >= table.MaxRetries || time.Since(begin) >= DefaultMaxAge || !s.sleep(backoff(retries)) {
			s.logger.Warn("schedule missed", "schedule", table.Name, "retries", retries, "error", err)
			return
		}
	}
}

// backoff doubles from 1 s to 5 minutes.
func backoff(retries int) time.Duration {
	return min(firstBackoff<<min(retries, 9), maxBackoff)
}

// sleep waits and reports whether the scheduler still runs.
func (s *Scheduler) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.waiting.Err() == nil
	case <-s.waiting.Done():
		return false
	}
}
