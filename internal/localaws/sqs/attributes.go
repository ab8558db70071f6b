package sqs

import (
	"crypto/md5" //nolint:gosec // SQS's checksums are MD5
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
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
		if !isAttributeName(name) {
			return errParameter("Message attribute name %q is invalid: it has 1 to %d letters, digits, hyphens and underscores, with single dots "+
				"between them, and does not start with the reserved AWS. or Amazon.", name, MaxAttributeNameLength)
		}
		if err := checkAttribute(name, attributes[name]); err != nil {
			return err
		}
	}
	return nil
}

func isAttributeName(name string) bool {
	words := strings.Split(name, ".")
	if len(words) > 1 && (strings.EqualFold(words[0], "aws") || strings.EqualFold(words[0], "amazon")) {
		return false
	}
	return len(name) <= MaxAttributeNameLength && !slices.ContainsFunc(words, func(word string) bool { return !isWord(word) })
}

func checkAttribute(name string, a Attribute) error {
	kind, suffix, custom := strings.Cut(a.DataType, ".")
	isKind := kind == "String" || kind == "Number" || kind == "Binary"
	value, other := a.StringValue, string(a.BinaryValue)
	if kind == "Binary" {
		value, other = other, value
	}
	switch {
	case !isKind, custom && suffix == "", len(a.DataType) > MaxDataTypeLength:
		return errParameter("The message attribute '%s' has an invalid message attribute type %q, the set of supported type prefixes is "+
			"Binary, Number, and String; with a custom suffix it has at most %d bytes.", name, a.DataType, MaxDataTypeLength)
	case value == "", other != "":
		return errParameter("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s', "+
			"in field 'Binary' for Binary and in field 'String' for the others.", name, a.DataType)
	case kind == "Number" && !isNumber(a.StringValue):
		return errParameter("Can't cast the value of message (user) attribute '%s' to a number: %q.", name, a.StringValue)
	case !hasLegalCharacters(a.StringValue), !hasLegalCharacters(a.DataType):
		return errParameter("Message (user) attribute '%s' contains invalid characters.", name)
	}
	return nil
}

func isNumber(text string) bool {
	_, ok := awsjson.ParseNumber(text)
	return ok
}

// hasLegalCharacters says whether text has only the characters that SQS takes: those of XML 1.0. (UTF-8 has no surrogates.)
func hasLegalCharacters(text string) bool {
	for _, r := range text {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
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

// choose returns the attributes that the filter takes.
func (f attributeFilter) choose(attributes map[string]Attribute) map[string]Attribute {
	chosen := maps.Clone(attributes)
	maps.DeleteFunc(chosen, func(name string, _ Attribute) bool { return !f.takes(name) })
	return chosen
}
