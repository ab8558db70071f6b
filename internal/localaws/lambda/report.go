package lambda

import (
	"fmt"
	"math"
	"time"
)

// LogFormat says how the lines look that Lambda itself writes into the log of a function.
type LogFormat string

// The log formats of a function. The zero value means Text.
const (
	LogFormatText LogFormat = "Text"
	LogFormatJSON LogFormat = "JSON"
)

// logStart writes the line before those of an invocation.
func (e *environment) logStart(inv *invocation) {
	if e.pool.function.LogFormat == LogFormatJSON {
		e.log.platform(`{"time":%q,"type":"platform.start","record":{"requestId":%q,"version":%q}}`, logTime(), inv.id, Version)
		return
	}
	e.log.platform("START RequestId: %s Version: %s", inv.id, Version)
}

// logReport writes the lines after those of an invocation.
func (e *environment) logReport(r report) {
	if e.pool.function.LogFormat == LogFormatJSON {
		e.log.platform("%s", r.json())
		return
	}
	e.log.platform("END RequestId: %s\n%s", r.result.RequestID, r.text())
}

// report is what an invocation has cost. Source: "Viewing CloudWatch logs for Lambda functions" and, for JSON, "Lambda Telemetry API
// Event schema reference", platform.report.
type report struct {
	result   Result
	duration time.Duration
	// initialisation is that of a cold start, 0 for a warm one. It has been billed since 2025-08.
	initialisation time.Duration
	memoryMB       int
	usedMB         int // 0 where the system does not say
}

func (r report) text() string {
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.result.RequestID, milliseconds(r.duration), r.billed(), r.memoryMB, r.usedMB)
	if r.initialisation > 0 {
		line += fmt.Sprintf("Init Duration: %.2f ms\t", milliseconds(r.initialisation))
	}
	if r.result.hostError == errorTimedOut {
		return line + "Status: timeout"
	}
	if r.result.hostError != "" {
		line += "Status: error\tError Type: " + r.result.hostError
	}
	return line
}

func (r report) json() []byte {
	line := fmt.Appendf(nil, `{"time":%q,"type":"platform.report","record":{"requestId":%q,"status":%q,`, logTime(), r.result.RequestID, r.status())
	if r.result.hostError != "" {
		line = fmt.Appendf(line, `"errorType":%q,`, r.result.hostError)
	}
	line = fmt.Appendf(line, `"metrics":{"durationMs":%.3f,"billedDurationMs":%.0f,"memorySizeMB":%d,"maxMemoryUsedMB":%d`,
		milliseconds(r.duration), r.billed(), r.memoryMB, r.usedMB)
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

// billed is in milliseconds.
func (r report) billed() float64 { return math.Ceil(milliseconds(r.duration + r.initialisation)) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func logTime() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
