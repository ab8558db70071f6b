package sqs

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

// handle is what a receipt handle says: which receive of which message of which queue.
type handle struct {
	queue    uint64
	number   uint64
	received int32
}

const (
	handleBytes = 8 + 8 + 4 + 4
	// handleText is the length of an encoded handle.
	handleText = 32
)

// String encodes the handle, in standard base64 so that none starts with a hyphen (an option, to a CLI): queue, number, received and a CRC-32 of these.
func (h handle) String() string {
	var raw [handleBytes]byte
	binary.BigEndian.PutUint64(raw[:], h.queue)
	binary.BigEndian.PutUint64(raw[8:], h.number)
	binary.BigEndian.PutUint32(raw[16:], uint32(h.received)) //nolint:gosec // the same bits come back
	binary.BigEndian.PutUint32(raw[20:], crc32.ChecksumIEEE(raw[:20]))
	return base64.StdEncoding.EncodeToString(raw[:])
}

// parseHandle decodes a receipt handle of the queue with that id.
func parseHandle(queueID uint64, text string) (handle, error) {
	var raw [handleBytes]byte
	if len(text) != handleText {
		return handle{}, errHandle(text)
	}
	if n, err := base64.StdEncoding.Strict().Decode(raw[:], []byte(text)); err != nil || n != handleBytes {
		return handle{}, errHandle(text)
	}
	h := handle{
		queue:    binary.BigEndian.Uint64(raw[:]),
		number:   binary.BigEndian.Uint64(raw[8:]),
		received: int32(binary.BigEndian.Uint32(raw[16:])), //nolint:gosec // the same bits come back
	}
	if binary.BigEndian.Uint32(raw[20:]) != crc32.ChecksumIEEE(raw[:20]) || h.queue != queueID {
		return handle{}, errHandle(text)
	}
	return h, nil
}
