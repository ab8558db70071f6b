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

// namedAttribute is one message attribute.
type namedAttribute struct {
	Attribute
	name string
}

// attributeList is a message's attributes, ordered by name.
type attributeList []namedAttribute

// isBinary says which of the two values counts.
func (a Attribute) isBinary() bool { return strings.HasPrefix(a.DataType, "Binary") }

// newAttributeList orders attributes by name, as the checksum wants them.
func newAttributeList(attributes map[string]Attribute) attributeList {
	if len(attributes) == 0 {
		return nil
	}
	list := make(attributeList, 0, len(attributes))
	for _, name := range sortedKeys(attributes) {
		list = append(list, namedAttribute{attributes[name], name})
	}
	return list
}

// size is what the attributes add to a message's size: names, types and values.
func (l attributeList) size() int {
	n := 0
	for _, a := range l {
		n += len(a.name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return n
}

// Transport types in the checksum's encoding.
const (
	checksumString = 1
	checksumBinary = 2
)

// sum is AWS's MD5 of message attributes: for each, by name, the length-prefixed name, the length-prefixed type, one byte for string or
// binary, and the length-prefixed value ("Calculating the MD5 message digest for message attributes", SQS developer guide).
func (l attributeList) sum() [16]byte {
	digest := md5.New() //nolint:gosec // as above
	var scratch []byte
	for _, a := range l {
		scratch = appendPrefixed(scratch[:0], a.name)
		scratch = appendPrefixed(scratch, a.DataType)
		if a.isBinary() {
			scratch = append(scratch, checksumBinary)
			scratch = binary.BigEndian.AppendUint32(scratch, uint32(len(a.BinaryValue))) //nolint:gosec // at most 1 MiB
			digest.Write(scratch)
			digest.Write(a.BinaryValue)
			continue
		}
		scratch = append(scratch, checksumString)
		digest.Write(appendPrefixed(scratch, a.StringValue))
	}
	return [16]byte(digest.Sum(nil))
}

func appendPrefixed(to []byte, text string) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(text))) //nolint:gosec // at most 1 MiB
	return append(to, text...)
}

func hexSum(sum [16]byte) string { return hex.EncodeToString(sum[:]) }

// check refuses attributes that AWS refuses.
func (l attributeList) check() *Error {
	if len(l) > MaxAttributes {
		return errParameter("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(l), MaxAttributes)
	}
	for _, a := range l {
		if err := checkAttributeName(a.name); err != nil {
			return err
		}
		if err := a.checkValue(); err != nil {
			return err
		}
	}
	return nil
}

func checkAttributeName(name string) *Error {
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

func (a namedAttribute) checkValue() *Error {
	kind, suffix, hasSuffix := strings.Cut(a.DataType, ".")
	empty := len(a.StringValue) == 0
	if kind == "Binary" {
		empty = len(a.BinaryValue) == 0
	}
	switch {
	case a.DataType == "":
		return errParameter("The message attribute '%s' must contain non-empty message attribute type.", a.name)
	case len(a.DataType) > MaxDataTypeLength:
		return errParameter("Length of message attribute '%s' type must be less than or equal to %d bytes.", a.name, MaxDataTypeLength)
	case kind != "String" && kind != "Number" && kind != "Binary", hasSuffix && suffix == "":
		return errParameter("The message attribute '%s' has an invalid message attribute type %q, "+
			"the set of supported type prefixes is Binary, Number, and String.", a.name, a.DataType)
	case kind == "Binary" && a.StringValue != "":
		return errParameter("The message attribute '%s' with type '%s' must use field 'Binary'.", a.name, a.DataType)
	case kind != "Binary" && len(a.BinaryValue) > 0:
		return errParameter("The message attribute '%s' with type '%s' must use field 'String'.", a.name, a.DataType)
	case empty:
		return errParameter("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", a.name, a.DataType)
	case kind == "Number" && !isNumber(a.StringValue):
		return errParameter("Can't cast the value of message (user) attribute '%s' to a number: %q.", a.name, a.StringValue)
	case !hasLegalCharacters(a.StringValue), !hasLegalCharacters(a.DataType):
		return errParameter("Message (user) attribute '%s' contains invalid characters.", a.name)
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

func (f attributeFilter) takesAll() bool {
	return slices.ContainsFunc(f, func(p string) bool { return p == "All" || p == "*" || p == ".*" })
}

func (f attributeFilter) takes(name string) bool {
	return slices.ContainsFunc(f, func(pattern string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(name, strings.TrimSuffix(prefix, "."))
		}
		return name == pattern
	})
}

// choose returns the attributes that the filter takes, all of them as they are.
func (f attributeFilter) choose(l attributeList) attributeList {
	if len(f) == 0 || len(l) == 0 {
		return nil
	}
	if f.takesAll() {
		return l
	}
	var chosen attributeList
	for _, a := range l {
		if f.takes(a.name) {
			chosen = append(chosen, a)
		}
	}
	return chosen
}
