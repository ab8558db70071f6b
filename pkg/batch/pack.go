package batch

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Pack is a decoded pack. The events' Data alias the decoded section.
type Pack struct {
	Header Header
	Events []event.Event
}

// Message is an encoded pack, ready for SQS.
type Message struct {
	Header Header
	// Body is the header as JSON.
	Body string
	// Events is the value of the Binary attribute AttributeName or, when the header has a
	// Claim, what has to be in the bucket before the message is sent; nil when it is there.
	Events []byte
}

// Bytes is what the message counts against MaxMessageBytes and is billed for.
func (m *Message) Bytes() int {
	if m.Header.Claim != "" {
		return len(m.Body)
	}
	return len(m.Body) + attributeCost + len(m.Events)
}

//nolint:gochecknoglobals // a constant table
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode packs events into as few messages as the limits allow, in order. Events must
// belong to the tenant and receiver of meta; those fields are not stored per event.
// Identical input gives identical pack ids.
//
// An event over MaxEventBytes is a pack of its own. If that does not fit a message it has
// a Claim, and its Events belong into the bucket.
//
// Errors: *TooLargeError when an event is over MaxLargeEventBytes. Then nothing is
// returned, so check sizes with EncodedSize where the event comes from.
func Encode(meta Meta, events []event.Event) ([]Message, error) {
	var messages []Message
	for len(events) > 0 {
		m, n, err := encodeSome(&meta, events)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
		events = events[n:]
	}
	return messages, nil
}

// encodeSome encodes a prefix of events that fits one message, and says how long it is.
//
// It first takes what surely fits the section; when the compressed result is over the
// target it cuts the prefix by the ratio just measured and tries again. Each try is at
// most nine tenths of the last, so it ends; in practice the second try fits.
func encodeSome(meta *Meta, events []event.Event) (Message, int, error) {
	n, err := prefix(events)
	if err != nil {
		return Message{}, 0, err
	}
	for {
		m, err := encodeOne(meta, events[:n])
		if err != nil {
			return Message{}, 0, err
		}
		switch {
		case m.Bytes() <= targetMessageBytes, n == 1 && m.Bytes() <= MaxMessageBytes:
			return m, n, nil
		case n == 1:
			err := m.checkIn() // first: it changes m
			return m, n, err
		}
		n = max(1, min(n*9/10, n*targetMessageBytes/m.Bytes()))
	}
}

// prefix counts the events that fit the limits of one section before compression. A large
// event goes alone, so that its neighbours are packed as if it were not there.
func prefix(events []event.Event) (int, error) {
	size := 0
	for i := range events {
		n := EncodedSize(&events[i]) + len(events[i].Group)
		switch {
		case n > MaxLargeEventBytes:
			return 0, &TooLargeError{ID: events[i].ID, Bytes: n, LimitBytes: MaxLargeEventBytes}
		case n > MaxEventBytes:
			return max(1, i), nil
		}
		// Counting every group as if it were new keeps the sum an upper bound.
		size += EncodedSize(&events[i]) + stringSize(len(events[i].Group))
		if i > 0 && (size > MaxSectionBytes || i == MaxEvents) {
			return i, nil
		}
	}
	return len(events), nil
}

func encodeOne(meta *Meta, events []event.Event) (Message, error) {
	buf := sectionBuffers.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer sectionBuffers.Put(buf)
	*buf = appendSection((*buf)[:0], events)
	encoding, blob := compress(*buf)
	h := Header{
		Version: Version, ID: identify(meta, events), Tenant: meta.Tenant, Receiver: meta.Receiver,
		Kinds: kindsOf(events), Count: len(events), Bytes: len(*buf), First: meta.First.UTC(), Last: meta.Last.UTC(),
		Encoding: encoding, Sum: checksum(blob), Trace: meta.Trace, Sink: meta.Sink,
		Attempt: meta.Attempt, Generation: meta.Generation, NotBefore: meta.NotBefore, Reason: meta.Reason,
	}
	return message(h, blob)
}

func message(h Header, blob []byte) (Message, error) {
	body, err := json.Marshal(&h)
	if err != nil {
		return Message{}, fmt.Errorf("encode pack header: %w", err)
	}
	return Message{Header: h, Body: string(body), Events: blob}, nil
}

func checksum(blob []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(blob, castagnoli))
}

var sectionBuffers = sync.Pool{New: func() any { return new([]byte) }} //nolint:gochecknoglobals // a pool is shared on purpose

// Both are safe for concurrent EncodeAll and DecodeAll. They are complete before main
// starts (the empty EncodeAll builds what the encoder would build on first use, about
// 0.1 ms), because every function needs them at once, and because a codec whose
// channels were made inside a bubble of testing/synctest could not be used outside it.
//
//nolint:gochecknoglobals // codecs without state of their own, costly to build
var (
	zstdEncoder = newEncoder()
	zstdDecoder = newDecoder()
)

func newEncoder() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false)) // the header's sum covers the bytes
	if err != nil {
		panic(fmt.Sprintf("zstd encoder options: %v", err))
	}
	e.EncodeAll([]byte{0}, nil)
	return e
}

func newDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxSectionBytes))
	if err != nil {
		panic(fmt.Sprintf("zstd decoder options: %v", err))
	}
	return d
}

func compress(data []byte) (encoding string, blob []byte) {
	if z := zstdEncoder.EncodeAll(data, make([]byte, 0, len(data)/2)); len(z) < len(data) {
		return EncodingZstd, z
	}
	return EncodingIdentity, append([]byte(nil), data...)
}

// Decode reads a pack from the body and the events attribute of an SQS message.
//
// Errors: those of ParseHeader and DecodeEvents, and ErrCorrupt when the attribute does
// not hold what the header announces. It never holds more than MaxSectionBytes. The events alias blob
// or what was decompressed from it: neither body nor blob may be changed after.
func Decode(body, blob []byte) (Pack, error) {
	h, err := ParseHeader(body)
	if err != nil {
		return Pack{Header: h}, err
	}
	events, err := DecodeEvents(&h, blob)
	return Pack{Header: h, Events: events}, err
}

// DecodeEvents reads the events of a pack whose header has been parsed. Those of a pack
// with a Claim must have been fetched; ErrCheckedIn says that they were not.
func DecodeEvents(h *Header, blob []byte) ([]event.Event, error) {
	if h.Claim != "" && blob == nil {
		return nil, fmt.Errorf("%w as %s", ErrCheckedIn, h.Claim)
	}
	if sum := checksum(blob); sum != h.Sum {
		return nil, corrupt("checksum of the events is %s, header says %q", sum, h.Sum)
	}
	data := blob
	if h.Encoding == EncodingZstd {
		var err error
		if data, err = zstdDecoder.DecodeAll(blob, make([]byte, 0, h.Bytes)); err != nil {
			return nil, corrupt("events: %v", err)
		}
	}
	if len(data) != h.Bytes {
		return nil, corrupt("events have %d bytes, header says %d", len(data), h.Bytes)
	}
	return readSection(h, data)
}

// Readdress turns a dead letter into a fresh pack of the next generation for one sink,
// or for the front of the pipeline when to is empty. The events are not decoded. The
// id follows from the letter's id, target and generation, so doing it twice gives the
// same pack.
//
// A pack that SQS moved by itself keeps its id on the way to where it was going: nobody gave it up,
// so it may have been delivered, and is a duplicate then. A residue keeps its reason, too: it is
// still on its way, and in the books as in flight.
func Readdress(h Header, events []byte, to string) (Message, error) {
	h.Generation++
	if givenUp := h.Reason != nil && h.Reason.Stop != ""; givenUp || to != h.Sink {
		h.Reason = nil
		d := digest{sha256.New(), nil}
		d.string(h.ID)
		d.string(to)
		d.number(h.Generation)
		h.ID = d.sum()
	}
	h.Sink, h.Attempt, h.NotBefore = to, 0, time.Time{}
	return message(h, events)
}
