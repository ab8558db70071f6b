package scheduler

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	firstYear = 1970
	lastYear  = 2199
)

// cron is AWS's six-field form. Exactly one of the day fields may restrict; the other is "?".
// Source: "Cron-based schedules", EventBridge Scheduler user guide.
type cron struct {
	minutes, hours, months set
	years                  set
	days                   dayOfMonth
	weekdays               dayOfWeek
	location               *time.Location
}

// set holds the allowed values of a field.
type set map[int]bool

// dayOfMonth is the third field: a list of days, "L" for the last, "nW" for the weekday nearest to day n; any for "?" and "*".
type dayOfMonth struct {
	any     bool
	list    set
	last    bool
	nearest int // 0 for none
}

// dayOfWeek is the fifth field: a list (1 is Sunday), "nL" for the last such day of the month, "n#k" for the k-th; any for "?" and "*".
type dayOfWeek struct {
	any   bool
	list  set
	last  int // 0 for none
	nth   int // 0 for none
	nthOf int
}

// Names of three letters each, the first standing for the field's lowest value.
const (
	monthNames   = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
	weekdayNames = "SUNMONTUEWEDTHUFRISAT"
)

func parseCron(text string, location *time.Location) (Expression, error) {
	fields := strings.Fields(text)
	if len(fields) != 6 {
		return nil, fmt.Errorf("a cron expression has six fields (minutes hours day-of-month month day-of-week year), not %d", len(fields))
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return nil, errors.New("exactly one of day-of-month and day-of-week must be ?")
	}
	c := cron{location: location}
	var problems [6]error
	c.minutes, problems[0] = parseSet(fields[0], span{"minutes", 0, 59, ""})
	c.hours, problems[1] = parseSet(fields[1], span{"hours", 0, 23, ""})
	c.days, problems[2] = parseDayOfMonth(fields[2])
	c.months, problems[3] = parseSet(fields[3], span{"month", 1, 12, monthNames})
	c.weekdays, problems[4] = parseDayOfWeek(fields[4])
	c.years, problems[5] = parseSet(fields[5], span{"year", firstYear, lastYear, ""})
	if err := errors.Join(problems[:]...); err != nil {
		return nil, err
	}
	return c, nil
}

// span describes a field: its bounds and the names of its values.
type span struct {
	name      string
	low, high int
	names     string
}

// parseSet reads a comma-separated list of *, n, n-m, n/step, n-m/step.
func parseSet(text string, s span) (set, error) {
	values := set{}
	for part := range strings.SplitSeq(text, ",") {
		if err := s.add(values, part); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return values, nil
}

func (s span) add(values set, part string) error {
	area, stepText, hasStep := strings.Cut(part, "/")
	step := 1
	if hasStep {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return fmt.Errorf("step %q is not a positive number", stepText)
		}
	}
	low, high := s.low, s.high
	if area != "*" {
		from, to, isRange := strings.Cut(area, "-")
		var err error
		if low, err = s.value(from); err != nil {
			return err
		}
		switch {
		case isRange:
			if high, err = s.value(to); err != nil {
				return err
			}
		case !hasStep:
			high = low
		}
	}
	if low > high {
		return fmt.Errorf("%s runs backwards", area)
	}
	for v := low; v <= high; v += step {
		values[v] = true
	}
	return nil
}

func (s span) value(text string) (int, error) {
	if at := strings.Index(s.names, strings.ToUpper(text)); len(text) == 3 && at >= 0 && at%3 == 0 {
		return s.low + at/3, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < s.low || v > s.high {
		return 0, fmt.Errorf("%q is not within %d to %d", text, s.low, s.high)
	}
	return v, nil
}

func monthDays() span { return span{"day of month", 1, 31, ""} }

func weekDays() span { return span{"day of week", 1, 7, weekdayNames} }

func parseDayOfMonth(text string) (dayOfMonth, error) {
	if text == "?" || text == "*" {
		return dayOfMonth{any: true}, nil
	}
	if text == "L" {
		return dayOfMonth{last: true}, nil
	}
	if day, found := strings.CutSuffix(text, "W"); found {
		nearest, err := monthDays().value(day)
		return dayOfMonth{nearest: nearest}, err
	}
	list, err := parseSet(text, monthDays())
	return dayOfMonth{list: list}, err
}

func parseDayOfWeek(text string) (dayOfWeek, error) {
	if text == "?" || text == "*" {
		return dayOfWeek{any: true}, nil
	}
	if text == "L" { // the last day of the week
		return dayOfWeek{list: set{7: true}}, nil
	}
	if day, found := strings.CutSuffix(text, "L"); found {
		last, err := weekDays().value(day)
		return dayOfWeek{last: last}, err
	}
	if day, ordinal, found := strings.Cut(text, "#"); found {
		of, err := weekDays().value(day)
		if err != nil {
			return dayOfWeek{}, err
		}
		nth, err := span{"ordinal", 1, 5, ""}.value(ordinal)
		return dayOfWeek{nth: nth, nthOf: of}, err
	}
	list, err := parseSet(text, weekDays())
	return dayOfWeek{list: list}, err
}

func (d dayOfMonth) matches(day time.Time) bool {
	switch {
	case d.any:
		return true
	case d.last:
		return day.Day() == lastDay(day)
	case d.nearest > 0:
		return day.Day() == nearestWeekday(day, d.nearest)
	default:
		return d.list[day.Day()]
	}
}

func (d dayOfWeek) matches(day time.Time) bool {
	weekday := int(day.Weekday()) + 1
	switch {
	case d.any:
		return true
	case d.last > 0:
		return weekday == d.last && day.Day() > lastDay(day)-7
	case d.nth > 0:
		return weekday == d.nthOf && (day.Day()-1)/7+1 == d.nth
	default:
		return d.list[weekday]
	}
}

// lastDay is the number of days in day's month.
func lastDay(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// nearestWeekday is the Monday to Friday nearest to a day of day's month, without leaving the month; 0 when it has no such day.
func nearestWeekday(day time.Time, target int) int {
	last := lastDay(day)
	if target > last {
		return 0
	}
	switch time.Date(day.Year(), day.Month(), target, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if target == 1 {
			return 3
		}
		return target - 1
	case time.Sunday:
		if target == last {
			return target - 2
		}
		return target + 1
	default:
		return target
	}
}

// Next walks the days from after's on; each day costs a few comparisons, a whole empty expression some milliseconds.
func (c cron) Next(after time.Time) time.Time {
	local := after.In(c.location)
	// Days are counted in UTC, where each has 24 hours; only the times found on them are local.
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	for day.Year() <= lastYear {
		switch {
		case !c.years[day.Year()]:
			day = time.Date(day.Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC)
			continue
		case !c.months[int(day.Month())]:
			day = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		case c.days.matches(day) && c.weekdays.matches(day):
			if found := c.firstOn(day, after); !found.IsZero() {
				return found
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}
}

// firstOn returns the first time on a day that is after the given one. A local time that does not exist is left out: time.Date
// moves it, so it comes back with another hour or minute. Of one that exists twice, time.Date takes the later.
func (c cron) firstOn(day, after time.Time) time.Time {
	for hour := range 24 {
		if !c.hours[hour] {
			continue
		}
		for minute := range 60 {
			if !c.minutes[minute] {
				continue
			}
			at := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, c.location)
			if at.Hour() == hour && at.Minute() == minute && at.After(after) {
				return at
			}
		}
	}
	return time.Time{}
}
