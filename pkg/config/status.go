package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Status is a range of HTTP status codes, both ends included, written as "409",
// "500-599" or "5xx". The zero Status is any code.
type Status struct {
	From, To int
}

// Contains says whether the range holds a code; the zero range holds all.
func (s Status) Contains(code int) bool {
	return s == Status{} || (s.From <= code && code <= s.To)
}

// String returns the range as the file writes it.
func (s Status) String() string {
	switch {
	case s == Status{}:
		return ""
	case s.From == s.To:
		return strconv.Itoa(s.From)
	case s.From%100 == 0 && s.To == s.From+99:
		return strconv.Itoa(s.From/100) + "xx"
	}
	return fmt.Sprintf("%d-%d", s.From, s.To)
}

// MarshalText returns String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String writes.
func (s *Status) UnmarshalText(text []byte) error {
	first, last, isRange := strings.Cut(string(text), "-")
	if class, isClass := strings.CutSuffix(first, "xx"); isClass && !isRange {
		first, last = class+"00", class+"99"
	} else if !isRange {
		last = first
	}
	from, fromErr := strconv.Atoi(first)
	to, toErr := strconv.Atoi(last)
	if fromErr != nil || toErr != nil || from < 100 || to > 599 || from > to {
		return fmt.Errorf("%q is no status; write a code such as 409, a range such as 500-599, or 5xx", text)
	}
	*s = Status{From: from, To: to}
	return nil
}
