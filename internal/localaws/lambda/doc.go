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
//	          gone ◄─── crash, timeout, idle too long, Close
//
// An invocation passes through Host.Invoke (which function, may it run now), pool.run (in which environment) and
// environment.serve (hand it to the process, wait, report). What the process says on the way comes in through the handlers of
// runtimeapi.go, and what it prints through processLog.
//
// # Emulated
//
//   - The Runtime API 2018-06-01: invocation/next, response (plain or chunked, with error trailers), error, init/error.
//   - A process that registers at the Extensions API 2020-01-01, as WithEnableSIGTERM of aws-lambda-go does, gets SIGTERM before
//     SIGKILL.
//   - Cold starts, warm reuse (the oldest environment first, so that those of a burst fall idle), idle reaping, the concurrency limit
//     of a function.
//   - Initialisation errors, crashes, timeouts and payloads over 6 MB, each with AWS's error payload.
//   - Invoke as a Go call and as the HTTP API: RequestResponse, Event with two retries, the log tail.
//   - The lines platform.start and platform.report of the JSON log format around those of the function, in its log and in the log tail.
//   - Freezing between invocations: SIGSTOP and SIGCONT, at 15 of the 150 µs of an invocation.
//   - GetFunctionConfiguration. Everything else is refused with AWS's error and a sentence that says so.
//
// # Not emulated
//
// CPU and memory limits, versions and aliases, layers, response streaming, dry runs, client contexts, the Telemetry API, events for
// extensions, the text log format, log levels. A function is called by its name or its full ARN, not by the part of an ARN. A
// report says nothing of the memory used. The events of InvocationEvent live in memory only, as many as come.
//
// No process outlives its host: environments are process groups that Close kills, and on Linux the kernel kills them when
// the host dies.
package lambda
