package posthog

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// The vectors were made with lz-string 1.5.0, LZString.compressToBase64.
func TestUnlz64_KnownVectors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"BYUwNmD2A0AECWsCGBbZtDUzkA==", "hello, i am a 猫"},
		{"r6ABsK6KaAD2aLCADWBfgBPQ9oCAlAZAvgDobEARlB4QAEOAjAUxAGd4BL5AZ4BMBPAQiA==", "Žluťoučký kůň úpěl ďábelské ódy!"},
		{"N4IgpgbmB2AuIC4QHMBOA3g+2EAaEADqgPYFiqwCWYAzoqLMQNYyKEAWAxgPoAmYAW2J4QADzaBeDcAAe9OkgAvvKA==", `{"event":"größe","properties":{"token":"phc_demo","x":"😀😀😀"}}`},
		{"Q===", ""},
	} {
		got, err := unlz64([]byte(tt.in), 1<<20)
		if err != nil || string(got) != tt.want {
			t.Errorf("unlz64(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
		if in := LZ64(tt.want); in != tt.in {
			t.Errorf("LZ64(%q) = %q, want %q: the tests' compressor is wrong", tt.want, in, tt.in)
		}
	}
}

func TestUnlz64_UndoesCompression(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := strings.Repeat(rapid.String().Draw(t, "text"), rapid.IntRange(1, 300).Draw(t, "times"))
		got, err := unlz64([]byte(LZ64(want)), len(want))
		if err != nil || string(got) != want {
			t.Fatalf("unlz64 = %q, %v, want %q", got, err, want)
		}
	})
}

func TestUnlz64_Refuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		status   int
	}{
		{"nothing", "", 400},
		{"an end in the middle", "BYUwNmD2A0AECWsC", 400},
		{"a first code that is none", "w", 400},
		{"a later code out of range", "BYf/", 400},
		{"a character outside base64", "BYUw*", 400},
		{"a bomb", LZ64(strings.Repeat("a", 100_000)), 413},
		{"a bomb of wide characters", LZ64(strings.Repeat("猫", 800)), 413},
	} {
		_, err := unlz64([]byte(tt.in), 1000)
		if e, ok := errors.AsType[*receiver.Error](err); !ok || e.Status != tt.status {
			t.Errorf("%s: error = %v, want status %d", tt.name, err, tt.status)
		}
	}
}

func FuzzUnlz64(f *testing.F) {
	for _, text := range []string{"", "a", "aaaaaaaaaa", `{"event":"größe 猫 😀"}`} {
		f.Add([]byte(LZ64(text)))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 1 << 14
		out, err := unlz64(in, limit)
		if len(out) > limit || (err == nil && !utf8.Valid(out)) {
			t.Errorf("%d bytes, valid UTF-8 %v, want at most %d and valid", len(out), utf8.Valid(out), limit)
		}
		if err != nil {
			return
		}
		if again, err := unlz64([]byte(LZ64(string(out))), limit); err != nil || string(again) != string(out) {
			t.Errorf("compressed again: %q, %v, want %q", again, err, out)
		}
	})
}

// LZ64 compresses as lz-string's compressToBase64 does, for tests only.
func LZ64(text string) string {
	c := lzCompressor{codes: map[string]int{}, fresh: map[string]bool{}, next: 3, room: 2, width: 2}
	for _, unit := range utf16.Encode([]rune(text)) {
		c.add(string([]byte{byte(unit >> 8), byte(unit)}))
	}
	return c.end()
}

// lzCompressor follows LZString._compress step by step; phrases are UTF-16 in bytes.
type lzCompressor struct {
	codes             map[string]int
	fresh             map[string]bool
	next, room, width int
	phrase            string
	bits              []byte
}

func (c *lzCompressor) add(unit string) {
	if _, known := c.codes[unit]; !known {
		c.codes[unit] = c.next
		c.next++
		c.fresh[unit] = true
	}
	longer := c.phrase + unit
	if _, known := c.codes[longer]; known {
		c.phrase = longer
		return
	}
	c.write()
	c.codes[longer] = c.next
	c.next++
	c.phrase = unit
}

// write puts out the current phrase.
func (c *lzCompressor) write() {
	if c.fresh[c.phrase] {
		unit := int(c.phrase[0])<<8 | int(c.phrase[1])
		if unit < 256 {
			c.number(0, c.width)
			c.number(unit, 8)
		} else {
			c.number(1, c.width)
			c.number(unit, 16)
		}
		c.grow()
		delete(c.fresh, c.phrase)
	} else {
		c.number(c.codes[c.phrase], c.width)
	}
	c.grow()
}

func (c *lzCompressor) grow() {
	if c.room--; c.room == 0 {
		c.room = 1 << c.width
		c.width++
	}
}

func (c *lzCompressor) number(n, width int) {
	for i := range width {
		c.bits = append(c.bits, byte(n>>i&1))
	}
}

func (c *lzCompressor) end() string {
	if c.phrase != "" {
		c.write()
	}
	c.number(2, c.width)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var out strings.Builder
	c.bits = append(c.bits, 0) // lz-string always flushes a further character
	for len(c.bits)%6 != 0 {
		c.bits = append(c.bits, 0)
	}
	for i := 0; i < len(c.bits); i += 6 {
		v := 0
		for _, bit := range c.bits[i : i+6] {
			v = v<<1 | int(bit)
		}
		out.WriteByte(alphabet[v])
	}
	return out.String() + strings.Repeat("=", (4-out.Len()%4)%4)
}
