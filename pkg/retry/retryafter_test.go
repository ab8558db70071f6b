package retry_test

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// now is 60 s before the example date of RFC 9110.
var now = time.Date(1994, time.November, 6, 8, 48, 37, 0, time.UTC)

func TestParseRetryAfter_Table(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, header string
		want         time.Duration
		ok           bool
	}{
		{"seconds", "120", 2 * time.Minute, true},
		{"zero", "0", 0, true},
		{"leading zeros", "007", 7 * time.Second, true},
		{"blanks around", " \t5 ", 5 * time.Second, true},
		{"the largest that fits", "9223372036", 9223372036 * time.Second, true},
		{"one more saturates", "9223372037", math.MaxInt64, true},
		{"absurd saturates", "99999999999", math.MaxInt64, true},
		{"more than an int64 saturates", strings.Repeat("9", 100), math.MaxInt64, true},
		{"an IMF date", "Sun, 06 Nov 1994 08:49:37 GMT", time.Minute, true},
		{"an RFC 850 date", "Sunday, 06-Nov-94 08:49:37 GMT", time.Minute, true},
		{"an asctime date", "Sun Nov  6 08:49:37 1994", time.Minute, true},
		{"a date in the past is now", "Sun, 06 Nov 1994 08:48:00 GMT", 0, true},
		{"a date at the end of time saturates", "Fri, 31 Dec 9999 23:59:59 GMT", math.MaxInt64, true},
		{"a date at the beginning of time is now", "Sat, 01 Jan 0000 00:00:00 GMT", 0, true},
		{"negative", "-1", 0, false},
		{"signed", "+1", 0, false},
		{"a fraction", "1.5", 0, false},
		{"an exponent", "1e3", 0, false},
		{"hexadecimal", "0x10", 0, false},
		{"other digits", "١٢", 0, false},
		{"empty", "", 0, false},
		{"blank", "  ", 0, false},
		{"garbage", "soon", 0, false},
		{"a list", "1, 2", 0, false},
		{"a newline", "1\n", 0, false},
		{"another zone", "Sun, 06 Nov 1994 08:49:37 PST", 0, false},
		{"no such day", "Sun, 31 Feb 1994 08:49:37 GMT", 0, false},
		{"ISO 8601", "1994-11-06T08:49:37Z", 0, false},
		{"too long to look at", strings.Repeat("9", 1<<20), 0, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, ok := retry.ParseRetryAfter(row.header, now)
			if got != row.want || ok != row.ok {
				t.Errorf("ParseRetryAfter = %s, %v; want %s, %v", got, ok, row.want, row.ok)
			}
		})
	}
}

var wholeSeconds = regexp.MustCompile(`^[ \t]*([0-9]+)[ \t]*$`)

// secondsOracle reads whole seconds with unbounded integers.
func secondsOracle(header string) (time.Duration, bool) {
	match := wholeSeconds.FindStringSubmatch(header)
	if match == nil {
		return 0, false
	}
	nanos, _ := new(big.Int).SetString(match[1], 10)
	nanos.Mul(nanos, big.NewInt(int64(time.Second)))
	if !nanos.IsInt64() {
		return math.MaxInt64, true
	}
	return time.Duration(nanos.Int64()), true
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, header := range []string{
		"120", "-1", "99999999999", " 5 ", "1.5", "",
		"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := retry.ParseRetryAfter(header, now)
		if got < 0 || (!ok && got != 0) {
			t.Fatalf("ParseRetryAfter(%q) = %s, %v", header, got, ok)
		}
		if want, seconds := secondsOracle(header); seconds && len(header) <= 128 && (got != want || !ok) {
			t.Fatalf("ParseRetryAfter(%q) = %s, %v; want %s, true", header, got, ok, want)
		}
		if _, seconds := secondsOracle(header); ok && !seconds && !strings.Contains(header, ":") {
			t.Fatalf("ParseRetryAfter(%q) = %s: neither seconds nor a date", header, got)
		}
		next := retry.Policy{}.Next(retry.Input{Attempt: 1, Class: retry.Throttled, RetryAfter: got, Remaining: time.Hour}, nil)
		if next.Delay < min(got, 15*time.Minute) || next.Delay > 15*time.Minute {
			t.Fatalf("Retry-After %q leads to %v", header, next)
		}
	})
}
