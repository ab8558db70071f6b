package config_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/config"
)

func TestDuration_UnmarshalText_Texts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		want       time.Duration
		bad        bool
	}{
		{"seconds", "5s", 5 * time.Second, false},
		{"units together", "1h30m", 90 * time.Minute, false},
		{"zero needs no unit", "0", 0, false},
		{"a number without a unit", "5", 0, true},
		{"a negative one", "-1s", 0, true},
		{"days are not known", "2d", 0, true},
		{"nothing", "", 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var d config.Duration
			if err := d.UnmarshalText([]byte(row.text)); (err != nil) != row.bad || d.Std() != row.want {
				t.Errorf("UnmarshalText(%q) = %s, %v; want %s", row.text, d, err, row.want)
			}
		})
	}
}

func TestDuration_String_IsShort(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0s": 0, "1h": time.Hour, "24h": 24 * time.Hour, "1m30s": 90 * time.Second, "1h0m1s": time.Hour + time.Second,
		"10m": 10 * time.Minute, "20s": 20 * time.Second, "500ms": time.Second / 2,
	} {
		if got := config.Duration(d).String(); got != want {
			t.Errorf("String of %v = %q, want %q", d, got, want)
		}
	}
}

func TestDuration_Text_RoundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := config.Duration(rapid.Int64Min(0).Draw(t, "nanoseconds"))
		text, err := want.MarshalText()
		var got config.Duration
		if err != nil || got.UnmarshalText(text) != nil || got != want {
			t.Errorf("%s came back as %s", want, got)
		}
	})
}

func TestBytes_UnmarshalText_Texts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		want       int
		bad        bool
	}{
		{"a bare number", "1000", 1000, false},
		{"bytes", "10B", 10, false},
		{"KiB", "512KiB", 512 << 10, false},
		{"a space before the unit", "1 MiB", 1 << 20, false},
		{"GiB", "2GiB", 2 << 30, false},
		{"KB is ambiguous", "1KB", 0, true},
		{"a fraction", "1.5MiB", 0, true},
		{"a sign", "-1", 0, true},
		{"only a unit", "MiB", 0, true},
		{"more than an int holds", "9223372036854775807GiB", 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var b config.Bytes
			if err := b.UnmarshalText([]byte(row.text)); (err != nil) != row.bad || int(b) != row.want {
				t.Errorf("UnmarshalText(%q) = %d, %v; want %d", row.text, int(b), err, row.want)
			}
		})
	}
}

func TestBytes_Text_RoundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := config.Bytes(rapid.IntRange(0, 1<<31-1).Draw(t, "bytes"))
		text, err := want.MarshalText()
		var got config.Bytes
		if err != nil || got.UnmarshalText(text) != nil || got != want {
			t.Errorf("%s came back as %s", want, got)
		}
	})
}
