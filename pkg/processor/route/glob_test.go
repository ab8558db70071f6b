package route

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGlob_Match_Patterns(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, pattern, text string
		want                bool
	}{
		{"a text fits itself", "payment", "payment", true},
		{"a text fits no longer text", "payment", "payment.done", false},
		{"case matters", "Payment", "payment", false},
		{"a star alone fits everything", "*", "anything at all", true},
		{"a star alone fits nothing too", "*", "", true},
		{"a star at the end fits a family", "payment.*", "payment.done", true},
		{"a star stands for no characters too", "payment.*", "payment.", true},
		{"a star needs the text before it", "payment.*", "payment", false},
		{"a dot is a dot", "payment.*", "paymentxdone", false},
		{"a star at the start", "*.failed", "payment.failed", true},
		{"stars at both ends", "*fail*", "payment.failed", true},
		{"a star between", "a*z", "abcz", true},
		{"prefix and suffix may not overlap", "aba*ba", "aba", false},
		{"prefix and suffix may touch", "aba*ba", "ababa", true},
		{"middle parts come in order", "*a*b*", "b a", false},
		{"a middle part may not use the suffix", "x*ab*b", "xab", false},
		{"the leftmost place leaves room", "*ab*ab*", "abab", true},
		{"two stars are one", "a**z", "a-z", true},
		{"a question mark is itself", "what?", "what?", true},
		{"a bracket is itself", "[a]*", "[a]b", true},
		{"runes are not split", "é*", "été", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g := compile(row.pattern)
			if got := g.match(row.text); got != row.want {
				t.Errorf("compile(%q).match(%q) = %v, want %v", row.pattern, row.text, got, row.want)
			}
		})
	}
}

func TestGlob_Match_AgreesWithRegexp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab.*]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab.]{0,12}`).Draw(t, "text")
		quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`)
		want := regexp.MustCompile(`^(?:` + quoted + `)$`).MatchString(text)
		if g := compile(pattern); g.match(text) != want {
			t.Errorf("compile(%q).match(%q) = %v, want %v", pattern, text, !want, want)
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("payment.*", "payment.done")
	f.Add("*a*b*c", "aabbcc")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		g := compile(pattern)
		matched := g.match(text)
		if !strings.Contains(pattern, "*") && matched != (pattern == text) {
			t.Errorf("compile(%q).match(%q) = %v without a star", pattern, text, matched)
		}
		if wider := compile("*" + pattern + "*"); matched && !wider.match("x"+text+"y") {
			t.Errorf("%q fits %q, but *%s* does not fit it with more around", pattern, text, pattern)
		}
	})
}
