package batch

import (
	"errors"
	"fmt"
)

var (
	// ErrNotPack means the message was not written by Millrace.
	ErrNotPack = errors.New("message is not a pack")
	// ErrCorrupt means the message says it is a pack, but its bytes do not add up.
	ErrCorrupt = errors.New("pack is corrupt")
	// ErrNewerVersion means a newer Millrace wrote the pack: leave it for one.
	ErrNewerVersion = errors.New("pack has a newer format version")
	// ErrCheckedIn means the events are in the bucket, under the header's Claim, and have
	// to be fetched before they can be decoded.
	ErrCheckedIn = errors.New("events of the pack are in the bucket")
)

// TooLargeError reports an event that does not fit a message by itself.
type TooLargeError struct {
	ID         string // the event
	Bytes      int    // its size
	LimitBytes int    // the limit it broke
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("event %q has %d bytes, over the limit of %d bytes for one event", e.ID, e.Bytes, e.LimitBytes)
}

func notPack(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNotPack}, args...)...)
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
}
