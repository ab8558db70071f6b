package audit

import (
	"crypto/sha256"

	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// key stands for an event. Two of a billion have the same one with a chance of 1 in 10^20.
type key [16]byte

// keyOf returns the key of an event: by its identity, or by its id alone.
func keyOf(by Identity, tenant, source, id string) key {
	var room [512]byte
	buf := room[:0]
	if by == ByEvent {
		buf = appendPart(appendPart(buf, tenant), source)
	}
	sum := sha256.Sum256(appendPart(buf, id))
	return key(sum[:len(key{})])
}

// appendPart appends a text and its end, so that no two sequences of texts are alike. No id holds the byte 0xFF: it is
// UTF-8.
func appendPart(dst []byte, text string) []byte {
	return append(append(dst, telemetry.AcceptedText(text)...), 0xFF)
}

// Identity says what tells events apart.
type Identity uint8

const (
	// ByEvent goes by tenant, source and id.
	ByEvent Identity = iota
	// ByID goes by the id alone.
	ByID
)
