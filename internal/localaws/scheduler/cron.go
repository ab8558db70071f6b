package scheduler

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/cronexpr"
)

// cron is AWS's six-field form: minutes, hours, day of month, month, day of week, year.
// Source: "Cron-based schedules", EventBridge Scheduler user guide. Years end with 2099 here, with 2199 there.
type cron struct {
	expression *cronexpr.Expression
	location   *time.Location
}

func parseCron(text string, location *time.Location) (Expression, error) {
	fields := strings.Fields(text)
	if len(fields) != 6 {
		return nil, fmt.Errorf("a cron expression has six fields (minutes hours day-of-month month day-of-week year), not %d", len(fields))
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return nil, errors.New("exactly one of day-of-month and day-of-week must be ?")
	}
	fields[4] = weekdays(fields[4])
	expression, err := cronexpr.Parse(strings.Join(fields, " "))
	if err != nil {
		return nil, fmt.Errorf("cron: %w", err)
	}
	return cron{expression, location}, nil
}

// weekday is a day in a list or a range, as opposed to the number behind # or /.
var weekday = regexp.MustCompile(`(^|[,-])\d+`)

// weekdays calls the days by name: AWS counts them from 1, everybody else from 0. A lone L is Saturday.
func weekdays(field string) string {
	if field == "L" {
		return "SAT"
	}
	names := map[string]string{"1": "SUN", "2": "MON", "3": "TUE", "4": "WED", "5": "THU", "6": "FRI", "7": "SAT"}
	return weekday.ReplaceAllStringFunc(field, func(match string) string {
		digits := strings.TrimLeft(match, ",-")
		return strings.TrimSuffix(match, digits) + cmp.Or(names[digits], "?"+digits) // the ? makes it an error
	})
}

// Next returns the first matching minute. A local time that does not exist is left out; one that exists twice happens once.
func (c cron) Next(after time.Time) time.Time {
	next := c.expression.Next(after.In(c.location))
	for !next.IsZero() && next.Add(-time.Hour).Hour() == next.Hour() { // the clocks have been put back
		next = c.expression.Next(next)
	}
	return next
}
