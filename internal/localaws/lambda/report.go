package lambda

import (
	"fmt"
	"math"
	"time"
)

// logFormat is that of Lambda's own lines in a function's log, as the function and GetFunctionConfiguration are told.
const logFormat = "JSON"

// logStart writes the line before those of an invocation.
func (e *environment) logStart(inv *invocation) {
	e.log.platform(`{"time":%q,"type":"platform.start","record":{"requestId":%q,"version":%q}}`, logTime(), inv.id, Version)
}

// logReport writes the line after those of an invocation: what it has cost. initialisation is that of a cold start, 0 for a warm one;
// it has been billed since 2025-08. Source: "Lambda Telemetry API Event schema reference", platform.report.
func (e *environment) logReport(result Result, duration, initialisation time.Duration) {
	line := fmt.Appendf(nil, `{"time":%q,"type":"platform.report","record":{"requestId":%q,"status":%q,`, logTime(), result.RequestID, result.status())
	if result.hostError != "" {
		line = fmt.Appendf(line, `"errorType":%q,`, result.hostError)
	}
	line = fmt.Appendf(line, `"metrics":{"durationMs":%.3f,"billedDurationMs":%.0f,"memorySizeMB":%d`,
		milliseconds(duration), math.Ceil(milliseconds(duration+initialisation)), e.pool.function.MemoryMB)
	if initialisation > 0 {
		line = fmt.Appendf(line, `,"initDurationMs":%.3f`, milliseconds(initialisation))
	}
	e.log.platform("%s}}}", line)
}

// status says how the invocation ended, in the words of platform.report.
func (r Result) status() string {
	switch {
	case !r.Failed():
		return "success"
	case r.hostError == "":
		return "failure"
	case r.hostError == errorTimedOut:
		return "timeout"
	default:
		return "error"
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func logTime() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
