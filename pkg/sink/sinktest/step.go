package sinktest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Fault is a way in which a destination misbehaves.
type Fault string

// The faults.
const (
	// Reset breaks the connection instead of replying.
	Reset Fault = "reset"
	// ResetInHeaders breaks it in the middle of the reply's headers.
	ResetInHeaders Fault = "reset-headers"
	// ResetInBody breaks it in the middle of the reply's body.
	ResetInBody Fault = "reset-body"
	// Hang never replies.
	Hang Fault = "hang"
	// SlowHeaders sends a header byte a second, without end.
	SlowHeaders Fault = "slow-headers"
	// SlowBody sends a body byte a second, without end.
	SlowBody Fault = "slow-body"
	// Endless sends a body as fast as it is read, without end.
	Endless Fault = "endless"
	// Huge announces and sends a body of 1 GiB.
	Huge Fault = "huge"
)

// Step is what a Server does with one request.
type Step struct {
	// Status of the reply. Default 200.
	Status int
	// Header of the reply.
	Header http.Header
	// Body of the reply.
	Body string
	// Fault breaks the reply. Empty sends it whole.
	Fault Fault
	// Delay before the reply. For virtual time only.
	Delay time.Duration
	// Until holds the reply back until it is closed. Nil does not.
	Until <-chan struct{}
	// Times is how often the step is done. Default 1.
	Times int
}

func (s *Step) status() int {
	if s.Status == 0 {
		return http.StatusOK
	}
	return s.Status
}

// HTMLPage is the reply of a login page or captive proxy that stands in the way.
func HTMLPage() Step {
	return Step{
		Header: http.Header{"Content-Type": {"text/html"}},
		Body:   "<!DOCTYPE html><html><body><form action=/login>Please sign in</form></body></html>",
	}
}

// Script reads a script and fails the test when it is not one. See ParseScript.
func Script(t testing.TB, text string) []Step {
	t.Helper()
	steps, err := ParseScript(text)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

const (
	maxScriptBytes = 64 << 10
	maxTimes       = 1_000_000
)

// ParseScript reads steps written one after the other, parted by commas:
//
//	503            a reply with this status
//	503 x3         three of them
//	Retry-After: 2 a header of the step before
//	reset          a fault, with status 200 where it gets that far
//	500 endless    a fault with another status
//	html           HTMLPage
//	redirect       302 to a place where nobody listens
//	delay 2s       before the reply of the step before
func ParseScript(text string) ([]Step, error) {
	if len(text) > maxScriptBytes {
		return nil, fmt.Errorf("script: %d bytes, at most %d", len(text), maxScriptBytes)
	}
	var steps []Step
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		var err error
		if steps, err = addWord(steps, word); err != nil {
			return nil, fmt.Errorf("script: %q: %w", word, err)
		}
	}
	return steps, nil
}

func addWord(steps []Step, word string) ([]Step, error) {
	name, value, isHeader := strings.Cut(word, ":")
	delay, isDelay := strings.CutPrefix(word, "delay ")
	if !isHeader && !isDelay {
		step, err := parseStep(word)
		return append(steps, step), err
	}
	if len(steps) == 0 {
		return nil, errors.New("there is no step before it")
	}
	last := &steps[len(steps)-1]
	if isDelay {
		var err error
		if last.Delay, err = time.ParseDuration(delay); err != nil || last.Delay < 0 {
			return nil, fmt.Errorf("not a duration: %q", delay)
		}
		return steps, nil
	}
	if last.Header == nil {
		last.Header = http.Header{}
	}
	last.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	return steps, nil
}

func parseStep(word string) (Step, error) {
	var step Step
	fields := strings.Fields(word)
	if len(fields) == 0 {
		return step, errors.New("is empty")
	}
	for _, field := range fields {
		if err := step.add(field); err != nil {
			return step, err
		}
	}
	return step, nil
}

func (s *Step) add(field string) error {
	times, isTimes := strings.CutPrefix(field, "x")
	switch Fault(field) {
	case Reset, ResetInHeaders, ResetInBody, Hang, SlowHeaders, SlowBody, Endless, Huge:
		s.Fault = Fault(field)
		return nil
	}
	number, err := strconv.Atoi(times)
	switch {
	case field == "html":
		*s = HTMLPage()
	case field == "redirect":
		s.Status, s.Header = http.StatusFound, http.Header{"Location": {"http://127.0.0.1:1/elsewhere"}}
	case err == nil && isTimes && number > 0 && number <= maxTimes:
		s.Times = number
	case err == nil && !isTimes && number >= 200 && number <= 999:
		s.Status = number
	default:
		return fmt.Errorf("%q is no status, fault or repetition", field)
	}
	return nil
}
