package field

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Value is what a field says. Two values are the same when the Go strings are: a text
// counts by what it says, so an escape does not make it another; everything else by
// its bytes and its kind, so that 1 is neither "1" nor 1.0.
type Value string

// Missing is the value of a field that is not there. A field that is null, or the empty
// text, says no more than that, and has the same value.
const Missing Value = ""

// valueOf reads one JSON value.
func valueOf(json jsontext.Value) (Value, error) {
	switch json.Kind() {
	case 'n':
		return Missing, nil
	case '"':
		text, err := jsontext.AppendUnquote([]byte{'"'}, json)
		if err != nil {
			return Missing, fmt.Errorf("read text: %w", err)
		}
		if len(text) == 1 {
			return Missing, nil
		}
		return Value(text), nil
	default:
		return Value(json), nil
	}
}

// ValueOf reads a value from JSON text, to compare those of events with: `true`, `5`
// or `"dark"`.
func ValueOf(json string) (Value, error) {
	value := jsontext.Value(bytes.TrimSpace([]byte(json)))
	if !value.IsValid() {
		return Missing, fmt.Errorf("%s is no JSON value", json)
	}
	return valueOf(value)
}
