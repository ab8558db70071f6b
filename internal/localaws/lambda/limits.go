package lambda

import "time"

// Limits of AWS Lambda, from the "Lambda quotas" page of the developer guide (read 2026-09) and from AWS's own error texts.
const (
	// MaxPayloadBytes bounds a synchronous request and whatever a process posts: "6 MB" is 6,291,556 bytes in AWS's error messages.
	MaxPayloadBytes = 6_291_556
	// MaxEventBytes bounds the payload of an asynchronous invocation: 1 MB since 2025-10.
	MaxEventBytes = 1 << 20
	// MaxTimeout is the longest timeout of a function.
	MaxTimeout = 15 * time.Minute
	// DefaultTimeout is what a function gets that names none.
	DefaultTimeout = 3 * time.Second
	// DefaultMemoryMB is the memory of a function that names none.
	DefaultMemoryMB = 128
	// LogTailBytes is how much of the log an invocation returns.
	LogTailBytes = 4096
	// EventRetries is how often an asynchronous event is tried again after a function error.
	EventRetries = 2
	// MaxEventAge is how long a throttled asynchronous event is tried, and maxEventBackoff the longest pause between two tries.
	MaxEventAge     = 6 * time.Hour
	maxEventBackoff = 5 * time.Minute
)

// Choices of this host, where AWS has a fleet.
const (
	// DefaultMaxConcurrency is how many environments a function without a limit of its own may have.
	DefaultMaxConcurrency = 64
	// DefaultIdleTimeout is how long an unused environment is kept.
	DefaultIdleTimeout = 5 * time.Minute
	// InitTimeout is how long a process may take until its first GET next, as on AWS.
	InitTimeout = 10 * time.Second
	// ShutdownGrace is the time between SIGTERM and SIGKILL, as on AWS for an internal extension.
	ShutdownGrace = 500 * time.Millisecond
)
