package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration written as "5s" or "1h30m".
type Duration time.Duration

// Std returns d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns d as the file writes it, without units that are zero: "1h", not "1h0m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText returns String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String writes, and everything else that time.ParseDuration
// reads and that is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write a number and a unit, such as 500ms, 5s, 2m or 24h", text)
	}
	if parsed < 0 {
		return fmt.Errorf("%q is negative; write a duration of 0s or more", text)
	}
	*d = Duration(parsed)
	return nil
}

// Bytes is a size written as a number of bytes or as "512KiB", "1MiB", "2GiB".
type Bytes int

type byteUnit struct {
	name string
	size int64
}

// byteUnits returns the units from the largest to the smallest.
func byteUnits() []byteUnit {
	return []byteUnit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
}

// String returns b in the largest unit that needs no fraction.
func (b Bytes) String() string {
	for _, unit := range byteUnits()[:3] {
		if b != 0 && int64(b)%unit.size == 0 {
			return strconv.FormatInt(int64(b)/unit.size, 10) + unit.name
		}
	}
	return strconv.Itoa(int(b))
}

// MarshalText returns String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

var errBytes = errors.New("is not a size; write a number of bytes, or a whole number and KiB, MiB or GiB, such as 512KiB")

// UnmarshalText reads what String writes. A size has no sign and no fraction.
func (b *Bytes) UnmarshalText(text []byte) error {
	number, size := strings.TrimSpace(string(text)), int64(1)
	for _, unit := range byteUnits() {
		if before, found := strings.CutSuffix(number, unit.name); found {
			number, size = strings.TrimSpace(before), unit.size
			break
		}
	}
	count, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return fmt.Errorf("%q %w", text, errBytes)
	}
	*b = Bytes(int64(count) * size)
	return nil
}
