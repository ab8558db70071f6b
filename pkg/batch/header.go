package batch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Version is the pack format this package writes, and the newest it reads.
const Version = 1

// Encodings of the events section.
const (
	EncodingZstd     = "zstd"
	EncodingIdentity = "identity"
)

// Header is the readable part of a pack. The package documentation lists the members.
type Header struct {
	Version    int       `json:"v"`
	ID         string    `json:"id"`
	Tenant     string    `json:"tenant"`
	Receiver   string    `json:"receiver"`
	Kinds      []string  `json:"kinds"`
	Count      int       `json:"count"`
	Bytes      int       `json:"bytes"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Encoding   string    `json:"enc"`
	Sum        string    `json:"sum"`
	Claim      string    `json:"claim,omitempty"`
	Trace      string    `json:"trace,omitempty"`
	Sink       string    `json:"sink,omitempty"`
	Attempt    int       `json:"attempt,omitzero"`
	Generation int       `json:"generation,omitzero"`
	NotBefore  time.Time `json:"not_before,omitzero"`
	Reason     *Reason   `json:"reason,omitempty"`
}

// Reason is the story of a failure: what a sink, or Millrace itself, said about the
// events of this pack, and how often it was tried.
type Reason struct {
	// Class is the retry class: transient, throttled, too-large, permanent, setup, cancelled.
	Class string `json:"class"`
	// Stop says why retrying ended; empty on a residue, which is still being retried.
	Stop string `json:"stop,omitempty"`
	// Status is the sink's HTTP status, 0 when there was none.
	Status int `json:"status,omitzero"`
	// Cause is a scrubbed and capped excerpt of the reply or error.
	Cause string `json:"cause,omitempty"`
	// Attempts made in this generation.
	Attempts int `json:"attempts,omitzero"`
	// First and Last are the times of the first and the latest failure.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Meta is what the writer of a pack decides about it; the rest of the header follows
// from the events.
type Meta struct {
	Tenant, Receiver string
	// First and Last are the earliest and latest acceptance; residues keep the parent's.
	First, Last time.Time
	Trace       string
	Sink        string
	Attempt     int
	Generation  int
	NotBefore   time.Time
	Reason      *Reason
}

// Meta returns the decided part of the header, to write a residue or a dead letter
// of the same events.
func (h *Header) Meta() Meta {
	return Meta{
		Tenant: h.Tenant, Receiver: h.Receiver, First: h.First, Last: h.Last, Trace: h.Trace,
		Sink: h.Sink, Attempt: h.Attempt, Generation: h.Generation, NotBefore: h.NotBefore, Reason: h.Reason,
	}
}

// ParseHeader reads the body of an SQS message.
//
// Errors: ErrNotPack when the body is no pack header at all, ErrNewerVersion when a
// newer Millrace wrote it (the header's Version and ID are then still set),
// ErrCorrupt when the members contradict each other or a limit.
func ParseHeader(body []byte) (Header, error) {
	var h Header
	if len(body) > MaxHeaderBytes {
		return h, notPack("body of %d bytes, a header has at most %d", len(body), MaxHeaderBytes)
	}
	if jsontext.Value(body).Kind() != '{' {
		return h, notPack("body is not a JSON object")
	}
	// The version comes first and alone: a newer header may differ in any other member.
	var version struct {
		V  int    `json:"v"`
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &version); err != nil {
		return h, notPack("%v", err)
	}
	if version.V < 1 {
		return h, notPack("no version")
	}
	if version.V > Version {
		return Header{Version: version.V, ID: version.ID}, fmt.Errorf("%w %d, this Millrace reads up to %d", ErrNewerVersion, version.V, Version)
	}
	if err := json.Unmarshal(body, &h); err != nil {
		return h, corrupt("header: %v", err)
	}
	return h, h.check()
}

func (h *Header) check() error {
	switch {
	case h.Tenant == "":
		return corrupt("header has no tenant")
	case h.Count < 1 || h.Count > MaxEvents:
		return corrupt("count is %d, allowed are 1 to %d", h.Count, MaxEvents)
	case h.Bytes < 1 || h.Bytes > MaxSectionBytes:
		return corrupt("bytes is %d, allowed are 1 to %d", h.Bytes, MaxSectionBytes)
	case h.Encoding != EncodingZstd && h.Encoding != EncodingIdentity:
		return corrupt("enc is %q, known are %q and %q", h.Encoding, EncodingZstd, EncodingIdentity)
	case h.Attempt < 0 || h.Generation < 0:
		return corrupt("negative attempt or generation")
	case h.Claim != "" && !claims(h.Tenant, h.Claim):
		return corrupt("claim %.100q is none of tenant %.100q", h.Claim, h.Tenant)
	}
	return nil
}

// identify returns the deterministic id of a pack of these events.
func identify(m *Meta, events []event.Event) string {
	d := digest{sha256.New(), nil}
	d.string(m.Tenant)
	d.string(m.Receiver)
	d.string(m.Sink)
	d.number(m.Attempt)
	d.number(m.Generation)
	for i := range events {
		d.string(events[i].Source)
		d.string(events[i].ID)
	}
	return d.sum()
}

// digest hashes length-prefixed values through a buffer, so that no two sequences
// of values hash alike and the hash is fed in large pieces.
type digest struct {
	hash hash.Hash
	buf  []byte
}

func (d *digest) string(s string) {
	d.buf = append(binary.AppendUvarint(d.buf, uint64(len(s))), s...)
	if len(d.buf) > 4096 {
		d.flush()
	}
}

func (d *digest) number(n int) { d.buf = binary.AppendVarint(d.buf, int64(n)) }

func (d *digest) flush() {
	d.hash.Write(d.buf)
	d.buf = d.buf[:0]
}

// sum returns the first half of the hash in hex: 128 bits, enough never to meet twice.
func (d *digest) sum() string {
	d.flush()
	return hex.EncodeToString(d.hash.Sum(nil)[:sha256.Size/2])
}

// kindsOf returns the distinct kinds of the events, sorted.
func kindsOf(events []event.Event) []string {
	kinds := make([]string, 0, 1)
	for i := range events {
		if !slices.Contains(kinds, events[i].Kind) {
			kinds = append(kinds, events[i].Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}
