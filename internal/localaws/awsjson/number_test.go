package awsjson_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

func TestParseNumber_AsAWS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"0": true, "-0.00": true, "+1": true, "1.5e10": true, ".5": true, "1E-128": true, "9e125": true, "00012": true, "1.": true, "0e99": true,
		"": false, "-": false, ".": false, "e1": false, "1e": false, "1e127": false, "1e-131": false, "1e-400": false, "1e999999999": false,
		"0x1": false, "1_000": false, "Inf": false, "nan": false, "1,5": false, "1/3": false, "1\n": false,
		strings.Repeat("9", 38): true, strings.Repeat("9", 39): false, "-0.00" + strings.Repeat("9", 38): true, "1" + strings.Repeat("0", 60): true,
		strings.Repeat("0", 500): false,
	} {
		if _, got := awsjson.ParseNumber(text); got != want {
			t.Errorf("ParseNumber(%q) = %t, want %t", text, got, want)
		}
	}
}

// FuzzParseNumber wants every number that is taken to be taken with the other sign, too, as the opposite value.
func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"1.5e10", "-0.00", "1e-130", ".5E+125", "1e999", "0x1p-2", "1/3", "12345678901234567890123456789012345678"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := awsjson.ParseNumber(text)
		if !ok {
			return
		}
		if mirrored, ok := awsjson.ParseNumber(mirror(text)); !ok || mirrored.Cmp(new(big.Rat).Neg(got)) != 0 {
			t.Errorf("%q is %v, and with another sign %v", text, got, mirrored)
		}
	})
}

// mirror changes a number's sign.
func mirror(text string) string {
	if positive, found := strings.CutPrefix(text, "-"); found {
		return positive
	}
	return "-" + strings.TrimPrefix(text, "+")
}
