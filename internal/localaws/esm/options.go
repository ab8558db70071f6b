package esm

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/esm/pattern"
)

// Limits of an event-source mapping for standard queues. Source: "Using Lambda with Amazon SQS", Lambda developer guide (2026-09).
const (
	// DefaultBatchSize is the batch size when none is given; above it a window is required.
	DefaultBatchSize = 10
	// MaxBatchSize is the most messages of one invocation.
	MaxBatchSize = 10_000
	// MaxWindow is the longest batching window.
	MaxWindow = 300 * time.Second
	// MaxBatchBytes bounds the payload of one invocation: 6 MB of JSON.
	MaxBatchBytes = 6 << 20
	// MinMaximumConcurrency and MaxMaximumConcurrency bound ScalingConfig.MaximumConcurrency.
	MinMaximumConcurrency = 2
	MaxMaximumConcurrency = 1000
	// DefaultConcurrency is what a mapping without a maximum has here: AWS starts with five and goes on to 1,250.
	DefaultConcurrency = 5
	// MaxFilters is the most filter patterns of one mapping.
	MaxFilters = 5
)

// Options describe one mapping.
type Options struct {
	// Queue is the name of the queue, Function that of the function.
	Queue, Function string
	// BatchSize is the most messages of one invocation, 1 to 10,000. Default 10; more needs a Window.
	BatchSize int
	// Window is how long to gather after the first message, 0 to 300 s. Default 0: whatever one receive returns goes at once.
	Window time.Duration
	// MaximumConcurrency bounds the invocations at a time, 2 to 1,000. 0 means DefaultConcurrency.
	MaximumConcurrency int
	// Filters are patterns (package pattern), at most five: a message that none of them matches is deleted and not handed to the
	// function. Without any, all are.
	Filters []string
	// ReportBatchItemFailures makes the mapping read the function's response (see Read). Without it every response is a success.
	ReportBatchItemFailures bool
	// Visibility is the queue's visibility timeout: a batch that a throttled function cannot take is given up when it would
	// run out. Default 30 s.
	Visibility time.Duration
	// Logger gets one line for each batch that failed or was given up. Default: nothing.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.BatchSize = cmp.Or(o.BatchSize, DefaultBatchSize)
	o.MaximumConcurrency = cmp.Or(o.MaximumConcurrency, DefaultConcurrency)
	o.Visibility = cmp.Or(o.Visibility, 30*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler)).With("queue", o.Queue, "function", o.Function)
	return o
}

// check joins everything that CreateEventSourceMapping would refuse. It returns the filters.
func (o Options) check() ([]pattern.Pattern, error) {
	var problems []error
	require := func(holds bool, format string, args ...any) {
		if !holds {
			problems = append(problems, fmt.Errorf("event source mapping of %s: %w", o.Queue, fmt.Errorf(format, args...)))
		}
	}
	require(0 <= o.BatchSize && o.BatchSize <= MaxBatchSize, "batch size %d is outside 1 to %d", o.BatchSize, MaxBatchSize)
	require(0 <= o.Window && o.Window <= MaxWindow, "batching window %s is outside 0 to %s", o.Window, MaxWindow)
	require(o.BatchSize <= DefaultBatchSize || o.Window > 0, "a batch size above %d needs a batching window of at least 1 s", DefaultBatchSize)
	require(o.MaximumConcurrency == 0 || MinMaximumConcurrency <= o.MaximumConcurrency && o.MaximumConcurrency <= MaxMaximumConcurrency,
		"maximum concurrency %d is outside %d to %d", o.MaximumConcurrency, MinMaximumConcurrency, MaxMaximumConcurrency)
	require(len(o.Filters) <= MaxFilters, "%d filters, at most %d are allowed", len(o.Filters), MaxFilters)
	filters := make([]pattern.Pattern, len(o.Filters))
	for i, text := range o.Filters {
		var err error
		filters[i], err = pattern.Parse(text)
		require(err == nil, "%w", err)
	}
	return filters, errors.Join(problems...)
}
