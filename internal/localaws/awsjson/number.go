package awsjson

import (
	"math"
	"math/big"
	"regexp"
	"strings"
)

// Bounds of a number. Source: Amazon DynamoDB Developer Guide, "Data types": 38 digits, 1E-130 to 9.99E+125; those of Amazon SQS
// Developer Guide, "Amazon SQS message attributes", are 1E-128 to 1E+126.
const (
	maxNumberDigits = 38
	maxNumberBytes  = 200 // for zeros beside the digits
	minNumber       = 1e-130
	maxNumber       = 1e126
)

// decimal is a number without what Go would take beside it: fractions, underscores, other bases, Inf and NaN.
var decimal = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$`)

// ParseNumber reads a decimal number as both services take it, and returns its exact value.
func ParseNumber(text string) (n *big.Rat, ok bool) {
	if len(text) > maxNumberBytes {
		return nil, false
	}
	parts := decimal.FindStringSubmatch(text)
	if parts == nil || len(strings.Trim(strings.ReplaceAll(parts[1], ".", ""), "0")) > maxNumberDigits {
		return nil, false
	}
	n, _ = new(big.Rat).SetString(text) // what decimal matches always parses
	size, _ := n.Float64()
	return n, n.Sign() == 0 || math.Abs(size) >= minNumber && math.Abs(size) <= maxNumber
}
