package dynamodb

import (
	"bytes"
	"math/big"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// item is a map of attributes, or of the values of a request.
type item map[string]value

// value is one attribute: a type such as "S", "N", "B", and what stands behind it.
type value struct {
	kind string
	// data is what an S or a B holds, number what an N does. Other types are kept as they are and cannot be compared.
	data   string
	number *big.Rat
	// raw is its JSON.
	raw jsontext.Value
}

// MarshalJSON returns the value as it was sent.
func (v value) MarshalJSON() ([]byte, error) { return v.raw, nil }

// UnmarshalJSON reads {"S":"text"} and its likes.
func (v *value) UnmarshalJSON(raw []byte) error {
	var typed map[string]jsontext.Value
	if err := json.Unmarshal(raw, &typed); err != nil {
		return err
	}
	if len(typed) != 1 {
		return errValidation("Supplied AttributeValue has %d datatypes, must contain exactly one of the supported datatypes", len(typed))
	}
	v.raw = bytes.Clone(raw)
	var err error
	for kind, content := range typed {
		v.kind, err = kind, v.read(kind, content)
	}
	return err
}

// read looks into the types that can be compared.
func (v *value) read(kind string, content jsontext.Value) error {
	switch kind {
	case "S":
		return json.Unmarshal(content, &v.data)
	case "B":
		var data []byte
		err := json.Unmarshal(content, &data)
		v.data = string(data)
		return err
	case "N":
		var text string
		if err := json.Unmarshal(content, &text); err != nil {
			return err
		}
		number, ok := awsjson.ParseNumber(text)
		if !ok {
			return errValidation("The parameter cannot be converted to a numeric value: %.80s", text)
		}
		v.number = number
		return nil
	case "BOOL", "NULL", "L", "M", "SS", "NS", "BS":
		return nil
	}
	return errValidation("Supplied AttributeValue is of type %.80q, must contain exactly one of the supported datatypes", kind)
}

// compare orders two values of one comparable type; ok is false for anything else.
func (v value) compare(other value) (order int, ok bool) {
	switch {
	case v.kind != other.kind:
		return 0, false
	case v.kind == "N":
		return v.number.Cmp(other.number), true
	default:
		return strings.Compare(v.data, other.data), v.kind == "S" || v.kind == "B"
	}
}
