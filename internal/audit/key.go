package audit

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// Identity says what a sink tells of its events.
type Identity uint8

const (
	// ByEvent is all that tells events apart: tenant, source and id.
	ByEvent Identity = iota
	// ByID is the id alone.
	ByID
)

// key stands for what is told of an event. Two of a billion have the same one with a chance of 1 in 10^20.
type key [16]byte

// label stands for an event: what its sink tells of it, which it may share with events of other tenants and sources, and
// what tells it apart from those.
type label struct {
	told key
	self uint64
}

func labelOf(by Identity, tenant, source, id string) label {
	whole := eventKey(tenant, source, id)
	if by == ByID {
		return whole.by(idKey(id))
	}
	return whole.by(whole)
}

// by names the event with this key to who is told another.
func (k key) by(told key) label { return label{told, binary.BigEndian.Uint64(k[:])} }

func eventKey(tenant, source, id string) key {
	var room [512]byte
	return hashed(appendPart(appendPart(appendPart(room[:0], tenant), source), id))
}

func idKey(id string) key {
	var room [512]byte
	return hashed(appendPart(room[:0], id))
}

func hashed(text []byte) key {
	sum := sha256.Sum256(text)
	return key(sum[:len(key{})])
}

// appendPart appends a text and its end, so that no two sequences of texts are alike. No id holds the byte 0xFF: it is
// UTF-8.
func appendPart(dst []byte, text string) []byte {
	return append(append(dst, telemetry.AcceptedText(text)...), 0xFF)
}
