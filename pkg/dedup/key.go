package dedup

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"

	"github.com/millrace-dev/millrace/pkg/event"
)

// Key is what is claimed and committed: the SHA-256 of a tenant, a sink and what is
// the same when two deliveries are the same. Texts are hashed byte for byte: ids that
// differ in case or in Unicode form are different ids. Keys are of one size, however
// long an id is.
type Key [sha256.Size]byte

// Kinds of keys, hashed first, so that a pack can never be taken for an event.
const (
	packKey     = "pack"
	identityKey = "event"
	fieldsKey   = "fields"
)

func keyOfPack(tenant, sink, pack string) Key {
	return hashKey(packKey, tenant, sink, pack)
}

func keyOfEvent(e *event.Event, sink string) Key {
	return hashKey(identityKey, e.Tenant, sink, e.Source, e.ID)
}

// hashKey hashes length-prefixed texts, so that no two lists of texts hash alike.
func hashKey(texts ...string) Key {
	var space [256]byte
	buf := space[:0]
	for _, s := range texts {
		buf = append(binary.AppendUvarint(buf, uint64(len(s))), s...)
	}
	return sha256.Sum256(buf)
}

// content is a running checksum of original bytes: their CRC-32C and length. It only
// counts conflicts, and decides nothing, so 64 bits without cryptography are enough.
type content struct {
	crc    uint32
	length uint32
}

func (c *content) add(data []byte) {
	c.crc = crc32.Update(c.crc, castagnoli, data)
	c.length += uint32(len(data)) //nolint:gosec // a checksum may wrap
}

// sum is never zero, which means "not compared".
func (c *content) sum() uint64 {
	return max(1, uint64(c.length)<<32|uint64(c.crc))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a constant table
