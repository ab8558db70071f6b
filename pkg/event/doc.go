// Package event defines the one thing that travels through Millrace: an event,
// its identity and its group.
//
// Field names follow CloudEvents 1.0 (id, source, type, time, subject). Data holds
// the bytes exactly as the SDK sent them: nothing between the receiver and the sink
// rewrites them.
//
// The package imports nothing else of Millrace.
package event
