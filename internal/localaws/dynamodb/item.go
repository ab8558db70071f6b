package dynamodb

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Limits. Source: Amazon DynamoDB Developer Guide, "Quotas": an item has at most 400 KB, a
// number at most 38 digits and an exponent of -130 to 126, a partition key 1 to 2048 bytes.
const (
	maxItemBytes   = 400 << 10
	maxNumberBytes = 64
	maxExponent    = 130
	maxKeyBytes    = 2048
)

// item is a map of attributes. raw is its JSON, attributes points into it.
type item struct {
	raw        jsontext.Value
	attributes map[string]value
}

// value is one attribute: a type such as "S", "N", "B", and what stands behind it.
type value struct {
	kind string
	text jsontext.Value
}

func parseItem(raw jsontext.Value) (item, error) {
	it := item{raw: raw}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(raw, &members); err != nil {
		return it, errSerialization(err)
	}
	it.attributes = make(map[string]value, len(members))
	for name, member := range members {
		v, err := parseValue(member)
		if err != nil {
			return it, err
		}
		it.attributes[name] = v
	}
	if len(raw) > maxItemBytes {
		return it, errValidation("Item size has exceeded the maximum allowed size")
	}
	return it, nil
}

func parseValue(raw jsontext.Value) (value, error) {
	var typed map[string]jsontext.Value
	if err := json.Unmarshal(raw, &typed); err != nil {
		return value{}, errSerialization(err)
	}
	for kind, text := range typed {
		v := value{kind: kind, text: text}
		if len(typed) != 1 {
			break
		}
		return v, v.check()
	}
	return value{}, errValidation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
}

// check looks into the types that can be compared; others are kept as they are.
func (v value) check() error {
	switch v.kind {
	case "S":
		_, err := v.string()
		return err
	case "B":
		_, err := v.bytes()
		return err
	case "N":
		_, err := v.number()
		return err
	case "BOOL", "NULL", "L", "M", "SS", "NS", "BS":
		return nil
	}
	return errValidation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
}

func (v value) string() (string, error) {
	var s string
	if err := json.Unmarshal(v.text, &s); err != nil {
		return "", errSerialization(err)
	}
	return s, nil
}

func (v value) bytes() ([]byte, error) {
	s, err := v.string()
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, errSerialization(err)
	}
	return data, nil
}

func (v value) number() (*big.Rat, error) {
	s, err := v.string()
	if err != nil {
		return nil, err
	}
	wrong := errValidation("The parameter cannot be converted to a numeric value: %.80s", s)
	if len(s) > maxNumberBytes || strings.ContainsAny(s, "/_xXpP") {
		return nil, wrong
	}
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		if exponent, err := strconv.Atoi(s[at+1:]); err != nil || exponent > maxExponent || exponent < -maxExponent {
			return nil, wrong
		}
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, wrong
	}
	return n, nil
}

// compare orders two values of one comparable type; ok is false for anything else.
func compare(a, b value) (order int, ok bool) {
	if a.kind != b.kind {
		return 0, false
	}
	switch a.kind {
	case "N":
		x, errX := a.number()
		y, errY := b.number()
		if errX != nil || errY != nil {
			return 0, false
		}
		return x.Cmp(y), true
	case "S", "B":
		read := value.bytes
		if a.kind == "S" {
			read = func(v value) ([]byte, error) { s, err := v.string(); return []byte(s), err }
		}
		x, errX := read(a)
		y, errY := read(b)
		return bytes.Compare(x, y), errX == nil && errY == nil
	}
	return 0, false
}

// expired says whether the time-to-live attribute, Unix seconds, is in the past.
func (it item) expired(attribute string, now time.Time) bool {
	v, there := it.attributes[attribute]
	if !there || v.kind != "N" {
		return false
	}
	end, err := v.number()
	return err == nil && end.Cmp(new(big.Rat).SetInt64(now.Unix())) < 0
}

// idOf returns what identifies an item in its table.
func (t *table) idOf(it item) (string, error) {
	v, there := it.attributes[t.Key]
	if !there {
		return "", errValidation("One or more parameter values were invalid: Missing the key %s in the item", t.Key)
	}
	if v.kind != t.Type {
		return "", errValidation("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", t.Key, t.Type, v.kind)
	}
	data, err := v.bytes()
	if t.Type == "S" {
		var s string
		s, err = v.string()
		data = []byte(s)
	}
	if err != nil {
		return "", err
	}
	if len(data) == 0 || len(data) > maxKeyBytes {
		return "", errValidation("One or more parameter values are not valid. The size of the key %s must be between 1 and %d bytes", t.Key, maxKeyBytes)
	}
	return t.Type + string(data), nil
}

// idOfKey is idOf for a Key parameter, which has no other attributes.
func (t *table) idOfKey(it item) (string, error) {
	id, err := t.idOf(it)
	if err != nil || len(it.attributes) != 1 {
		return "", errValidation("The provided key element does not match the schema")
	}
	return id, nil
}
