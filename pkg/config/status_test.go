package config_test

import (
	"testing"

	"github.com/millrace-dev/millrace/pkg/config"
)

func TestStatus_UnmarshalText_ReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]config.Status{
		"409": {From: 409, To: 409}, "5xx": {From: 500, To: 599}, "400-404": {From: 400, To: 404}, "200-299": {From: 200, To: 299},
	} {
		var s config.Status
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: got %+v (%v), want %+v", text, s, err, want)
		}
		var again config.Status
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%q: %q reads as %+v (%v)", text, s, again, err)
		}
	}
	for _, text := range []string{"", "99", "600", "6xx", "xx", "404-400", "abc", "4x", "-1", "200-", "2xx-3xx"} {
		var s config.Status
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %+v", text, s)
		}
	}
}

func TestStatus_Contains_ZeroIsAny(t *testing.T) {
	t.Parallel()
	if whole := (config.Status{}); !whole.Contains(0) || !whole.Contains(503) {
		t.Error("the zero status does not hold every code")
	}
	if s := (config.Status{From: 500, To: 599}); !s.Contains(503) || s.Contains(499) {
		t.Error("5xx holds the wrong codes")
	}
}
