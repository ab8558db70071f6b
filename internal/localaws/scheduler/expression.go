package scheduler

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Expression says when. It is immutable.
type Expression interface {
	// Next returns the first time after the given one, or the zero time when there is none.
	Next(after time.Time) time.Time
}

// Parse reads a schedule expression. Zone is the IANA name of the time zone of cron and at expressions, empty for UTC.
func Parse(text, zone string) (Expression, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	kind, rest, _ := strings.Cut(strings.TrimSpace(text), "(")
	parse := map[string]func(string, *time.Location) (Expression, error){"rate": parseRate, "cron": parseCron, "at": parseAt}[kind]
	inside, isClosed := strings.CutSuffix(rest, ")")
	if parse == nil || !isClosed {
		return nil, fmt.Errorf("schedule expression %q: it must be rate(…), cron(…) or at(…)", text)
	}
	expression, err := parse(inside, location)
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

func parseRate(text string, _ *time.Location) (Expression, error) {
	number, unit, _ := strings.Cut(text, " ")
	count, err := strconv.Atoi(number)
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	period := units[strings.TrimSuffix(unit, "s")]
	if err != nil || count < 1 || count > maxRate || period == 0 {
		return nil, errors.New("a rate is a positive number and minutes, hours or days")
	}
	return rate(time.Duration(count) * period), nil
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
