package scheduler

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Expression says when. It is immutable.
type Expression interface {
	// Next returns the first time after the given one, or the zero time when there is none.
	Next(after time.Time) time.Time
}

var expressionForm = regexp.MustCompile(`^(rate|cron|at)\((.*)\)$`)

// Parse reads a schedule expression. Cron and at expressions are in the location; nil means UTC.
func Parse(text string, location *time.Location) (Expression, error) {
	if location == nil {
		location = time.UTC
	}
	form := expressionForm.FindStringSubmatch(strings.TrimSpace(text))
	if form == nil {
		return nil, fmt.Errorf("schedule expression %q: it must be rate(…), cron(…) or at(…)", text)
	}
	var (
		expression Expression
		err        error
	)
	switch form[1] {
	case "rate":
		expression, err = parseRate(form[2])
	case "cron":
		expression, err = parseCron(form[2], location)
	default:
		expression, err = parseAt(form[2], location)
	}
	if err != nil {
		return nil, fmt.Errorf("schedule expression %q: %w", text, err)
	}
	return expression, nil
}

// rate is a period.
type rate time.Duration

func (r rate) Next(after time.Time) time.Time { return after.Add(time.Duration(r)) }

// maxRate keeps the multiplication away from the ends of time.Duration.
const maxRate = 1_000_000

func parseRate(text string) (Expression, error) {
	parts := strings.Fields(text)
	if len(parts) != 2 {
		return nil, fmt.Errorf("a rate is a number and a unit")
	}
	value, err := strconv.Atoi(parts[0])
	if err != nil || value < 1 || value > maxRate {
		return nil, fmt.Errorf("%q is not a positive number", parts[0])
	}
	var unit time.Duration
	switch strings.TrimSuffix(parts[1], "s") {
	case "minute":
		unit = time.Minute
	case "hour":
		unit = time.Hour
	case "day":
		unit = 24 * time.Hour
	default:
		return nil, fmt.Errorf("unit %q is not minutes, hours or days", parts[1])
	}
	return rate(time.Duration(value) * unit), nil
}

// moment is one point in time.
type moment time.Time

func (m moment) Next(after time.Time) time.Time {
	if at := time.Time(m); at.After(after) {
		return at
	}
	return time.Time{}
}

func parseAt(text string, location *time.Location) (Expression, error) {
	at, err := time.ParseInLocation("2006-01-02T15:04:05", text, location)
	if err != nil {
		return nil, fmt.Errorf("%q is not yyyy-mm-ddThh:mm:ss", text)
	}
	return moment(at), nil
}
