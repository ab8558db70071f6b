package config

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Switch is written as on or off; true and false mean the same.
type Switch string

// Positions of a Switch.
const (
	On  Switch = "on"
	Off Switch = "off"
)

// MarshalText returns the switch as the file writes it.
func (s Switch) MarshalText() ([]byte, error) { return []byte(s), nil }

// UnmarshalText reads a position.
func (s *Switch) UnmarshalText(text []byte) error {
	switch string(text) {
	case "on", "true":
		*s = On
	case "off", "false":
		*s = Off
	default:
		return fmt.Errorf("%q is no position of a switch; write on or off", text)
	}
	return nil
}

// Value is a text, a number, true or false, as JSON: `"dark"`, `5`, `true`. The zero
// Value is none of them.
type Value string

var errValue = errors.New("must be a text, true or false, or a number as JSON writes it, such as 5, -1.5 or 1e3")

// check says whether the value is one, for those made in code and for YAML's other
// notations of numbers.
func (v Value) check() error {
	json := jsontext.Value(v)
	switch json.Kind() {
	case '"', '0', 't', 'f':
		if json.IsValid() {
			return nil
		}
	default:
	}
	return errValue
}

func textValue(text string) Value {
	// The only error is invalid UTF-8, which a file cannot hold; it is replaced.
	json, _ := jsontext.AppendQuote(nil, text)
	return Value(json)
}
