package sqs

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

// handle is what a receipt handle says: which receive of which message of which queue.
type handle struct {
	Queue, Number uint64
	Received      int32
}

const (
	handleBytes = 8 + 8 + 4
	// handleText is the length of an encoded handle with its checksum.
	handleText = 32
)

// String encodes the handle, big-endian with a CRC-32 behind it, in standard base64 so that none starts with a hyphen (an option, to a CLI).
func (h handle) String() string {
	raw := appendBinary(make([]byte, 0, handleBytes+crc32.Size), h)
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw)))
}

// parseHandle decodes a receipt handle of the queue with that id.
func parseHandle(queueID uint64, text string) (h handle, err error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(text) != handleText || len(raw) != handleBytes+crc32.Size {
		return handle{}, errHandle(text)
	}
	_, err = binary.Decode(raw, binary.BigEndian, &h)
	if err != nil || binary.BigEndian.Uint32(raw[handleBytes:]) != crc32.ChecksumIEEE(raw[:handleBytes]) || h.Queue != queueID {
		return handle{}, errHandle(text)
	}
	return h, nil
}

// appendBinary appends a value of fixed size, big-endian.
func appendBinary(to []byte, value any) []byte {
	to, err := binary.Append(to, binary.BigEndian, value)
	if err != nil {
		panic(err) // structs of numbers always encode
	}
	return to
}
