package sqs

import (
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// isBinary says which of the two values counts.
func (a Attribute) isBinary() bool { return strings.HasPrefix(a.DataType, "Binary") }

// sizeOf is what attributes add to a message's size: names, types and values.
func sizeOf(attributes map[string]Attribute) int {
	n := 0
	for name, a := range attributes {
		n += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return n
}

// Transport types in the checksum's encoding.
const (
	checksumString = 1
	checksumBinary = 2
)

// sumOf is AWS's MD5 of message attributes in hex, "" when there are none: for each, by name, the length-prefixed name, the length-prefixed type,
// one byte for string or binary, and the length-prefixed value ("Calculating the MD5 message digest for message attributes", SQS developer guide).
func sumOf(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var text []byte
	for _, name := range sortedKeys(attributes) {
		a := attributes[name]
		text = appendPrefixed(appendPrefixed(text, name), a.DataType)
		if a.isBinary() {
			text = appendPrefixed(append(text, checksumBinary), string(a.BinaryValue))
		} else {
			text = appendPrefixed(append(text, checksumString), a.StringValue)
		}
	}
	return hexSum(md5.Sum(text)) //nolint:gosec // as above
}

func appendPrefixed(to []byte, text string) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(text))) //nolint:gosec // at most 1 MiB
	return append(to, text...)
}

func hexSum(sum [16]byte) string { return hex.EncodeToString(sum[:]) }

// checkAttributes refuses attributes that AWS refuses.
func checkAttributes(attributes map[string]Attribute) error {
	if len(attributes) > MaxAttributes {
		return errParameter("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(attributes), MaxAttributes)
	}
	for _, name := range sortedKeys(attributes) {
		if err := checkAttributeName(name); err != nil {
			return err
		}
		if err := checkAttributeValue(name, attributes[name]); err != nil {
			return err
		}
	}
	return nil
}

func checkAttributeName(name string) error {
	lower := strings.ToLower(name)
	switch {
	case name == "":
		return errParameter("The request must contain non-empty message attribute name.")
	case len(name) > MaxAttributeNameLength:
		return errParameter("Length of message attribute name must be less than or equal to %d bytes.", MaxAttributeNameLength)
	case strings.IndexFunc(name, notInAttributeName) >= 0:
		return errParameter("Invalid non-alphanumeric character was found in the message attribute name %q. "+
			"Can only include alphanumeric characters, hyphens, underscores, or dots.", name)
	case name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, ".."):
		return errParameter("Message attribute name %q is invalid: it must not start or end with a dot or have successive dots.", name)
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return errParameter("Message attribute name %q is invalid: the prefixes AWS. and Amazon. are reserved.", name)
	}
	return nil
}

func notInAttributeName(r rune) bool {
	return r > 'z' || r != '.' && !isWordByte(byte(r)) //nolint:gosec // at most 'z' here, never negative
}

func checkAttributeValue(name string, a Attribute) error {
	kind, suffix, hasSuffix := strings.Cut(a.DataType, ".")
	empty := len(a.StringValue) == 0
	if kind == "Binary" {
		empty = len(a.BinaryValue) == 0
	}
	switch {
	case a.DataType == "":
		return errParameter("The message attribute '%s' must contain non-empty message attribute type.", name)
	case len(a.DataType) > MaxDataTypeLength:
		return errParameter("Length of message attribute '%s' type must be less than or equal to %d bytes.", name, MaxDataTypeLength)
	case kind != "String" && kind != "Number" && kind != "Binary", hasSuffix && suffix == "":
		return errParameter("The message attribute '%s' has an invalid message attribute type %q, "+
			"the set of supported type prefixes is Binary, Number, and String.", name, a.DataType)
	case kind == "Binary" && a.StringValue != "":
		return errParameter("The message attribute '%s' with type '%s' must use field 'Binary'.", name, a.DataType)
	case kind != "Binary" && len(a.BinaryValue) > 0:
		return errParameter("The message attribute '%s' with type '%s' must use field 'String'.", name, a.DataType)
	case empty:
		return errParameter("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.DataType)
	case kind == "Number" && !isNumber(a.StringValue):
		return errParameter("Can't cast the value of message (user) attribute '%s' to a number: %q.", name, a.StringValue)
	case !hasLegalCharacters(a.StringValue), !hasLegalCharacters(a.DataType):
		return errParameter("Message (user) attribute '%s' contains invalid characters.", name)
	}
	return nil
}

// A Number has up to 38 digits and lies between 10^-128 and 10^126 ("Amazon SQS message attributes", developer guide).
const (
	maxNumberDigits = 38
	maxNumber       = 1e126
	minNumber       = 1e-128
)

func isNumber(text string) bool {
	digits := 0
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	for _, c := range strings.TrimLeft(mantissa, "+-0.") {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	if digits > maxNumberDigits || strings.ContainsAny(text, "xXpP_iInN") {
		return false // ParseFloat would take hexadecimal numbers, underscores, Inf and NaN
	}
	value, err := strconv.ParseFloat(text, 64)
	size := math.Abs(value)
	return err == nil && (value == 0 && digits == 0 || size >= minNumber && size <= maxNumber)
}

// hasLegalCharacters says whether text has only the characters that SQS takes: those of XML 1.0.
func hasLegalCharacters(text string) bool {
	for _, r := range text {
		switch {
		case r >= 0x20 && r <= 0xD7FF, r == '\t', r == '\n', r == '\r', r >= 0xE000 && r <= 0xFFFD, r >= 0x10000:
		default:
			return false
		}
	}
	return utf8.ValidString(text)
}

// attributeFilter picks attributes by name: "All", "*", ".*", "prefix.*", "prefix*" or the name itself.
type attributeFilter []string

func (f attributeFilter) takes(name string) bool {
	return slices.ContainsFunc(f, func(pattern string) bool {
		prefix, isPrefix := strings.CutSuffix(pattern, "*")
		return pattern == "All" || pattern == name || isPrefix && strings.HasPrefix(name, strings.TrimSuffix(prefix, "."))
	})
}

// choose returns copies of the attributes that the filter takes, nil when there are none.
func (f attributeFilter) choose(attributes map[string]Attribute) map[string]Attribute {
	var chosen map[string]Attribute
	for name, a := range attributes {
		if !f.takes(name) {
			continue
		}
		if chosen == nil {
			chosen = make(map[string]Attribute, len(attributes))
		}
		a.BinaryValue = slices.Clone(a.BinaryValue)
		chosen[name] = a
	}
	return chosen
}
