package retry

import (
	"math"
	"strings"
	"time"
)

// maxHeaderBytes bounds what ParseRetryAfter looks at. The longest date has 33 bytes.
const maxHeaderBytes = 128

// The three forms of a date that a recipient has to accept (RFC 9110, section 5.6.7).
// The zone is a literal: time.Parse would take any other three letters for UTC.
const (
	imfFixdate = "Mon, 02 Jan 2006 15:04:05 GMT"
	rfc850Date = "Monday, 02-Jan-06 15:04:05 GMT"
	asctime    = time.ANSIC
)

// ParseRetryAfter reads a Retry-After header (RFC 9110, section 10.2.3): whole seconds or
// an HTTP date, which is taken relative to now. The duration is never negative; a date in
// the past is 0 and true. Values too large for a time.Duration, such as 99999999999,
// become the largest one: Policy.MaxRetryAfter caps what is obeyed.
//
// Anything else, such as "", "-1", "1.5" or "soon", is 0 and false.
func ParseRetryAfter(header string, now time.Time) (time.Duration, bool) {
	if len(header) > maxHeaderBytes {
		return 0, false
	}
	header = strings.Trim(header, " \t")
	if wait, ok := parseSeconds(header); ok {
		return wait, true
	}
	for _, layout := range [...]string{imfFixdate, rfc850Date, asctime} {
		if at, err := time.Parse(layout, header); err == nil {
			return max(at.Sub(now), 0), true // Sub saturates
		}
	}
	return 0, false
}

// parseSeconds reads 1*DIGIT. strconv would also take a sign and refuse what overflows.
func parseSeconds(digits string) (time.Duration, bool) {
	const limit = math.MaxInt64 / int64(time.Second)
	var seconds int64
	for _, digit := range []byte(digits) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		seconds = min(seconds*10+int64(digit-'0'), limit+1) // far from overflowing int64
	}
	if seconds > limit {
		return math.MaxInt64, true
	}
	return time.Duration(seconds) * time.Second, digits != ""
}
