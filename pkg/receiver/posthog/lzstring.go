package posthog

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// lz64 is lz-string's compressToBase64, which old PostHog browsers use: an LZW over
// UTF-16 code units, whose codes are written in a growing number of bits, lowest bit
// first, into the six bits of base64 characters, highest bit first.
//
//	code   meaning
//	0      a new unit of 8 bits follows
//	1      a new unit of 16 bits follows
//	2      end
//	3…     entry of the dictionary
//
// Source: github.com/pieroxy/lz-string, LZString._decompress.
const (
	codeUnit8  = 0
	codeUnit16 = 1
	codeEnd    = 2
	firstEntry = 3
)

var (
	errLZEnd    = errors.New("it ends too early")
	errLZCode   = errors.New("code out of range")
	errLZSymbol = errors.New("character outside base64")
	errLZLimit  = errors.New("over the limit")
)

// unlz64 decompresses to UTF-8, at most limit bytes.
func unlz64(body []byte, limit int) ([]byte, error) {
	d := lzDecoder{bits: lzBits{text: bytes.TrimRight(bytes.TrimSpace(body), "=")}, limit: limit}
	err := d.run()
	var out []byte
	if err == nil {
		out = make([]byte, 0, len(d.units))
		for _, r := range utf16.Decode(d.units) {
			out = utf8.AppendRune(out, r)
		}
	}
	switch {
	case errors.Is(err, errLZLimit), len(out) > limit:
		return nil, receiver.TooLarge("body is over the limit of %d bytes after lz64 is undone (limit decoded_bytes)", limit)
	case err != nil:
		return nil, receiver.Malformed("body is not lz64 as declared: %v", err)
	}
	return out, nil
}

// lzSpan is a dictionary entry: a stretch of the output, for every entry is something
// that was written before.
type lzSpan struct{ from, length int }

type lzDecoder struct {
	bits    lzBits
	units   []uint16 // the output
	limit   int
	entries []lzSpan // of the codes from firstEntry on
	width   int      // bits of a code
	room    int      // entries that may still be added before codes get wider
}

func (d *lzDecoder) run() error {
	code, err := d.bits.read(2) //nolint:mnd // the first code is narrower: there are no entries yet
	if err != nil || code == codeEnd {
		return err
	}
	d.width, d.room = 3, 5 // one more than later, because the first entry has no predecessor
	last, err := d.span(code, lzSpan{})
	if err != nil {
		return err
	}
	for {
		if code, err = d.bits.read(d.width); err != nil || code == codeEnd {
			return err
		}
		next, err := d.span(code, last)
		if err != nil {
			return err
		}
		d.add(lzSpan{last.from, last.length + 1})
		last = next
	}
}

// span writes what a code stands for, and says where it was written.
func (d *lzDecoder) span(code int, last lzSpan) (lzSpan, error) {
	written := lzSpan{len(d.units), 1}
	if code == codeUnit8 || code == codeUnit16 {
		unit, err := d.bits.read(8 << code)
		if err != nil {
			return written, err
		}
		d.units = append(d.units, uint16(unit)) //nolint:gosec // at most 16 bits were read
		d.add(written)
		return written, nil
	}
	source := lzSpan{last.from, last.length + 1} // the entry about to be made: it repeats its own start
	switch index := code - firstEntry; {
	case index < len(d.entries):
		source = d.entries[index]
	case index > len(d.entries) || last.length == 0:
		return written, errLZCode
	}
	if written.length = source.length; len(d.units)+source.length > d.limit {
		return written, errLZLimit
	}
	for i := range source.length { // one by one: source and target may overlap
		d.units = append(d.units, d.units[source.from+i])
	}
	return written, nil
}

// add enters a stretch of the output into the dictionary.
func (d *lzDecoder) add(s lzSpan) {
	d.entries = append(d.entries, s)
	if d.room--; d.room == 0 {
		d.room = 1 << d.width
		d.width++
	}
}

// lzBits reads numbers from base64 characters.
type lzBits struct {
	text []byte
	at   int // in bits
}

const bitsPerChar = 6

func (b *lzBits) read(width int) (int, error) {
	n := 0
	for i := range width {
		if b.at/bitsPerChar >= len(b.text) {
			return 0, errLZEnd
		}
		v := lz64Value(b.text[b.at/bitsPerChar])
		if v < 0 {
			return 0, errLZSymbol
		}
		n |= v >> (bitsPerChar - 1 - b.at%bitsPerChar) & 1 << i
		b.at++
	}
	return n, nil
}

// lz64Value is the value of a base64 character, -1 of any other. A space is a plus that
// went through a form.
func lz64Value(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+' || c == ' ':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
