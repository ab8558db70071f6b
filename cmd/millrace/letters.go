package main

import (
	"time"

	"github.com/millrace-dev/millrace/pkg/deadletter"
)

// letterFilter are the flags that say which dead letters are meant.
type letterFilter struct {
	Sink     string    `help:"Only letters of this sink; * for those that name none."`
	Tenant   string    `help:"Only letters of this tenant."`
	Receiver string    `help:"Only letters of this receiver."`
	Kind     string    `help:"Only letters that hold events of this kind."`
	Class    string    `help:"Only letters of this class: transient, throttled, too-large, permanent, setup, crashed."`
	Status   int       `help:"Only letters whose sink answered this status."`
	Since    timeOrAge `placeholder:"TIME" help:"Only letters whose latest failure is not older: 2026-03-01T10:00:00Z, or 90m for 90 minutes ago."`
	Until    timeOrAge `placeholder:"TIME" help:"Only letters whose latest failure is older."`
}

func (f letterFilter) filter() deadletter.Filter {
	return deadletter.Filter{
		Sink: f.Sink, Tenant: f.Tenant, Receiver: f.Receiver, Kind: f.Kind, Class: f.Class, Status: f.Status,
		Since: f.Since.Time, Until: f.Until.Time,
	}
}

// timeOrAge is a moment, given as such or as its distance from now.
type timeOrAge struct{ time.Time }

// UnmarshalText reads RFC 3339 or a duration.
func (t *timeOrAge) UnmarshalText(text []byte) error {
	if age, err := time.ParseDuration(string(text)); err == nil && age >= 0 {
		t.Time = time.Now().Add(-age).UTC()
		return nil
	}
	moment, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return usageError("%q is neither a time such as 2026-03-01T10:00:00Z nor an age such as 90m", text)
	}
	t.Time = moment.UTC()
	return nil
}
