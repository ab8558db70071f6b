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

// logReport writes the line after those of an invocation.
func (e *environment) logReport(r report) { e.log.platform("%s", r.json()) }

// report is what an invocation has cost. Source: "Lambda Telemetry API Event schema reference", platform.report.
type report struct {
	result   Result
	duration time.Duration
	// initialisation is that of a cold start, 0 for a warm one. It has been billed since 2025-08.
	initialisation time.Duration
	memoryMB       int
	usedMB         int // 0 where the system does not say
}

func (r report) json() []byte {
	line := fmt.Appendf(nil, `{"time":%q,"type":"platform.report","record":{"requestId":%q,"status":%q,`, logTime(), r.result.RequestID, r.status())
	if r.result.hostError != "" {
		line = fmt.Appendf(line, `"errorType":%q,`, r.result.hostError)
	}
	line = fmt.Appendf(line, `"metrics":{"durationMs":%.3f,"billedDurationMs":%.0f,"memorySizeMB":%d,"maxMemoryUsedMB":%d`,
		milliseconds(r.duration), math.Ceil(milliseconds(r.duration+r.initialisation)), r.memoryMB, r.usedMB)
	if r.initialisation > 0 {
		line = fmt.Appendf(line, `,"initDurationMs":%.3f`, milliseconds(r.initialisation))
	}
	return append(line, `}}}`...)
}

// status says how the invocation ended, in the words of platform.report.
func (r report) status() string {
	switch {
	case !r.result.Failed():
		return "success"
	case r.result.hostError == "":
		return "failure"
	case r.result.hostError == errorTimedOut:
		return "timeout"
	default:
		return "error"
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func logTime() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
