package demosink

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// Behaviour says how a sink answers. The zero value takes everything at once.
type Behaviour struct {
	// Status of a failing answer, 100 to 599; 0 means 500. A 2xx alone means no failure.
	Status int
	// FailRate is the share of requests that fail, 0 to 1. 0 means all of them, when another field makes requests fail.
	FailRate float64
	// Delay before every answer.
	Delay time.Duration
	// RetryAfter is sent with a failing answer, in whole seconds; 0 means no header.
	RetryAfter time.Duration
	// Hang lets a failing request wait until the client gives up.
	Hang bool
	// Reset breaks a failing request's connection.
	Reset bool
	// Partial takes the first half of a failing request's events, so that trying again repeats them.
	Partial bool
}

// wire is a Behaviour as JSON.
type wire struct {
	Status     int     `json:"status,omitzero"`
	FailRate   float64 `json:"fail_rate,omitzero"`
	Delay      string  `json:"delay,omitempty"`
	RetryAfter int     `json:"retry_after,omitzero"`
	Hang       bool    `json:"hang,omitzero"`
	Reset      bool    `json:"reset,omitzero"`
	Partial    bool    `json:"partial,omitzero"`
}

// ParseBehaviour reads a behaviour from JSON; see the package documentation. Unknown members are errors.
func ParseBehaviour(data []byte) (Behaviour, error) {
	var w wire
	if err := json.Unmarshal(data, &w, json.RejectUnknownMembers(true)); err != nil {
		return Behaviour{}, fmt.Errorf("behaviour: %w", err)
	}
	b := Behaviour{
		Status: w.Status, FailRate: w.FailRate, RetryAfter: time.Duration(w.RetryAfter) * time.Second,
		Hang: w.Hang, Reset: w.Reset, Partial: w.Partial,
	}
	if w.Delay != "" {
		var err error
		if b.Delay, err = time.ParseDuration(w.Delay); err != nil {
			return Behaviour{}, fmt.Errorf("behaviour: delay %q is not a duration such as 500ms or 2s", w.Delay)
		}
	}
	return b, b.Check()
}

// Check says what is out of bounds.
func (b Behaviour) Check() error {
	switch {
	case b.Status != 0 && (b.Status < 200 || b.Status > 599):
		return fmt.Errorf("behaviour: status %d is outside 200 to 599", b.Status)
	case b.FailRate < 0 || b.FailRate > 1:
		return fmt.Errorf("behaviour: fail_rate %v is outside 0 to 1", b.FailRate)
	case b.Delay < 0 || b.RetryAfter < 0:
		return fmt.Errorf("behaviour: delay and retry_after must not be negative")
	}
	return nil
}

// MarshalJSON writes what ParseBehaviour reads.
func (b Behaviour) MarshalJSON() ([]byte, error) {
	w := wire{
		Status: b.Status, FailRate: b.FailRate, RetryAfter: int(b.RetryAfter / time.Second),
		Hang: b.Hang, Reset: b.Reset, Partial: b.Partial,
	}
	if b.Delay > 0 {
		w.Delay = b.Delay.String()
	}
	data, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("behaviour: %w", err)
	}
	return data, nil
}

// Fails decides about one request; roll is a random number in [0, 1).
func (b Behaviour) Fails(roll float64) bool {
	if b.FailRate > 0 {
		return roll < b.FailRate
	}
	return b.Status >= http.StatusMultipleChoices || b.Hang || b.Reset || b.Partial
}

// failure is the status of a failing answer.
func (b Behaviour) failure() int {
	if b.Status < http.StatusMultipleChoices {
		return http.StatusInternalServerError
	}
	return b.Status
}

// success is the status of a good answer.
func (b Behaviour) success() int {
	if b.Status >= http.StatusOK && b.Status < http.StatusMultipleChoices {
		return b.Status
	}
	return http.StatusOK
}

func (b Behaviour) setRetryAfter(h http.Header) {
	if b.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(b.RetryAfter/time.Second)))
	}
}
