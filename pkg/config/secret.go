package config

import (
	"fmt"
	"log/slog"
	"slices"
)

// Secret is a text that may hold references to secrets, "Bearer ${env:TOKEN}". However
// it is printed, logged or marshalled, it shows its references, never their values.
// Only [Secret.Reveal] returns the value.
//
// The zero Secret is empty. A Secret is comparable, safe to copy and to read concurrently.
type Secret struct {
	text  string // as written in the file
	value string // set by Resolve; at once when there is no reference
}

// NewSecret reads a text with references, as the file writes them.
func NewSecret(text string) (Secret, error) {
	parts, err := parseParts(text)
	if err != nil {
		return Secret{}, err
	}
	if slices.ContainsFunc(parts, part.isReference) {
		return Secret{text: text}, nil
	}
	return Secret{text: text, value: literalOf(parts)}, nil
}

// String returns the text as written in the file, which names secrets but holds none.
func (s Secret) String() string { return s.text }

// GoString keeps the value out of %#v.
func (s Secret) GoString() string { return fmt.Sprintf("config.Secret(%q)", s.text) }

// LogValue keeps the value out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.text) }

// MarshalText keeps the value out of JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// UnmarshalText is [NewSecret].
func (s *Secret) UnmarshalText(text []byte) error {
	secret, err := NewSecret(string(text))
	if err != nil {
		return err
	}
	*s = secret
	return nil
}

// Reveal returns the value, empty while references are not resolved. Only the code that
// sends it to its destination calls it.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether nothing was written.
func (s Secret) IsZero() bool { return s.text == "" }

// References returns the references in order.
func (s Secret) References() []Reference {
	var references []Reference
	for _, p := range s.parts() {
		if p.isReference() {
			references = append(references, p.reference)
		}
	}
	return references
}

// parts takes the text apart. It was read without an error when s was made.
func (s Secret) parts() []part {
	parts, err := parseParts(s.text)
	if err != nil {
		return nil
	}
	return parts
}
