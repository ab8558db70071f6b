package config

import "log/slog"

// Secret is a text that may hold references to secrets, "Bearer ${env:TOKEN}". It
// prints as its reference, never as its value.
type Secret struct {
	reference string // as written in the file
	value     string // set by Resolve
}

// String returns the text as written in the file, which names secrets but holds none.
func (s Secret) String() string { return s.reference }

// LogValue keeps the value out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.reference) }

// Reveal returns the value. Only the code that sends it to its destination calls it.
func (s Secret) Reveal() string { return s.value }
