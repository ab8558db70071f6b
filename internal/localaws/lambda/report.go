package lambda

import (
	"fmt"
	"math"
	"time"

	"github.com/go-json-experiment/json/jsontext"
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
	if e.function.LogFormat == LogFormatJSON {
		e.logs.platform(`{"time":%q,"type":"platform.start","record":{"requestId":%q,"version":%q}}`, logTime(), inv.id, Version)
		return
	}
	e.logs.platform("START RequestId: %s Version: %s", inv.id, Version)
}

// report is what an invocation has cost. Source: "Viewing CloudWatch logs for Lambda functions" and, for JSON, "Lambda Telemetry API
// Event schema reference", platform.report.
type report struct {
	requestID string
	duration  time.Duration
	// initialisation is that of a cold start, 0 for a warm one. It has been billed since 2025-08.
	initialisation time.Duration
	memoryMB       int
	usedMB         int // 0 where the system does not say
	status         string
	errorType      string
}

// logReport writes the lines after those of an invocation.
func (e *environment) logReport(inv *invocation, answer outcome, took time.Duration) {
	e.peakMB = max(e.peakMB, residentMB(e.pid()))
	r := report{
		requestID: inv.id, duration: took, initialisation: e.initialisation, memoryMB: e.function.MemoryMB, usedMB: e.peakMB,
		status: answer.status(), errorType: answer.errorType,
	}
	e.initialisation = 0 // the next one is warm
	if e.function.LogFormat == LogFormatJSON {
		e.logs.platform("%s", r.json())
		return
	}
	e.logs.platform("END RequestId: %s", inv.id)
	e.logs.platform("%s", r.text())
}

func (r report) billed() int {
	return int(math.Ceil(milliseconds(r.duration + r.initialisation)))
}

func (r report) text() string {
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.requestID, milliseconds(r.duration), r.billed(), r.memoryMB, r.usedMB)
	if r.initialisation > 0 {
		line += fmt.Sprintf("Init Duration: %.2f ms\t", milliseconds(r.initialisation))
	}
	switch r.status {
	case statusTimeout:
		line += "Status: timeout"
	case statusError:
		line += "Status: error\tError Type: " + r.errorType
	}
	return line
}

func (r report) json() []byte {
	line := fmt.Appendf(nil, `{"time":%q,"type":"platform.report","record":{"requestId":%q,"status":%q,`, logTime(), r.requestID, r.status)
	if r.errorType != "" {
		line = append(line, `"errorType":`...)
		line, _ = jsontext.AppendQuote(line, r.errorType)
		line = append(line, ',')
	}
	line = fmt.Appendf(line, `"metrics":{"durationMs":%.3f,"billedDurationMs":%d,"memorySizeMB":%d,"maxMemoryUsedMB":%d`,
		milliseconds(r.duration), r.billed(), r.memoryMB, r.usedMB)
	if r.initialisation > 0 {
		line = fmt.Appendf(line, `,"initDurationMs":%.3f`, milliseconds(r.initialisation))
	}
	return append(line, `}}}`...)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func logTime() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
