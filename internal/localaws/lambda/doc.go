// Package lambda runs real bootstrap binaries the way AWS Lambda does.
//
// A Host keeps a pool of environments per function. An environment is one child process with a Runtime API of its own on a
// loopback port; it serves one invocation at a time:
//
//	start ──► init ──► idle ◄──────────────┐
//	            │        │ invocation        │ GET next
//	            │        ▼                   │
//	            │      busy ── response ──► answered
//	            ▼        ▼                   ▼
//	          exited ◄── crash, timeout, idle too long, Close
//
// # Emulated
//
//   - The Runtime API 2018-06-01: invocation/next, response (plain or chunked, with error trailers), error, init/error.
//   - The Extensions API 2020-01-01: register and event/next, so that a process that registers gets SIGTERM before SIGKILL.
//   - Cold starts, warm reuse (most recently used first), idle reaping, the concurrency limit of a function.
//   - Initialisation errors, crashes, timeouts and payloads over 6 MB, each with AWS's error payload.
//   - Invoke as a Go call and as the HTTP API: RequestResponse, Event with two retries, DryRun, the log tail.
//   - The lines START, END and REPORT around those of the function, as text or as JSON, in its log and in the log tail.
//   - Freezing between invocations, with Options.Freeze.
//   - GetFunctionConfiguration. Everything else is refused with AWS's error and a sentence that says so.
//
// # Not emulated
//
// CPU and memory limits, versions and aliases, layers, response streaming, the Telemetry API, INVOKE events for extensions, the JSON
// format's log levels. Max Memory Used is what the process holds at the end of an invocation, at most so far; without Linux it is 0.
// The events of InvocationEvent live in memory only.
//
// No process outlives its host: environments are process groups that Close kills, and on Linux the kernel kills them when
// the host dies.
package lambda
