package dynamo

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/millrace-dev/millrace/pkg/dedup"
)

// Version is the format of the items, see the package documentation.
const Version = 1

// Names of attributes.
const (
	// KeyAttribute is the table's partition key, of type B.
	KeyAttribute = "k"
	// TTLAttribute is its time-to-live attribute.
	TTLAttribute = "ttl"

	attributeVersion = "v"
	attributeHolder  = "h"
	attributePlace   = "n"
	attributeContent = "s"
	attributeLease   = "l"
	attributeBits    = "b"
	attributeDone    = "d"
	attributeExpiry  = "x"
)

// ttlSlack keeps items longer than they are needed, for clocks that differ.
const ttlSlack = time.Hour

type item = map[string]types.AttributeValue

// claimed is an item of the first kind.
type claimed struct {
	holder  [16]byte
	place   int
	content uint64
	lease   time.Time
	expiry  time.Time
}

// settled is an item of the second kind.
type settled struct {
	bits   []byte
	done   bool
	expiry time.Time
}

func (s *settled) committed(place int) bool {
	return place/8 < len(s.bits) && s.bits[place/8]>>(place%8)&1 == 1
}

func claimKey(k dedup.Key) types.AttributeValue {
	return &types.AttributeValueMemberB{Value: append([]byte("c"), k[:]...)}
}

func ticketKey(id [16]byte) types.AttributeValue {
	return &types.AttributeValueMemberB{Value: append([]byte("t"), id[:]...)}
}

func number[T int | int64 | uint64](n T) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

func millis(t time.Time) types.AttributeValue { return number(t.UnixMilli()) }

func newItem(key types.AttributeValue, expiry time.Time) item {
	return item{
		KeyAttribute: key, attributeVersion: number(Version),
		attributeExpiry: millis(expiry), TTLAttribute: number(expiry.Add(ttlSlack).Unix()),
	}
}

func newClaim(t dedup.Ticket, c dedup.Claim, place int, now time.Time) item {
	it := newItem(claimKey(c.Key), now.Add(t.Lease+t.Window))
	it[attributeHolder] = &types.AttributeValueMemberB{Value: t.ID[:]}
	it[attributePlace] = number(place)
	it[attributeContent] = number(c.Content)
	it[attributeLease] = millis(now.Add(t.Lease))
	return it
}

func newSettlement(t dedup.Ticket, s dedup.Settlement, now time.Time) item {
	it := newItem(ticketKey(t.ID), now.Add(t.Window))
	bits := make([]byte, 0, 1+len(s.Committed)/8)
	for place, committed := range s.Committed {
		if committed {
			for len(bits) <= place/8 {
				bits = append(bits, 0)
			}
			bits[place/8] |= 1 << (place % 8)
		}
	}
	if len(bits) > 0 { // servers differ about empty values
		it[attributeBits] = &types.AttributeValueMemberB{Value: bits}
	}
	it[attributeDone] = number(int(s.Rest))
	return it
}

// reader reads attributes, and keeps the first thing that is wrong.
type reader struct {
	item item
	err  error
}

func (r *reader) bytes(name string) []byte {
	if b, ok := r.item[name].(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	r.wrong(name)
	return nil
}

func (r *reader) number(name string) uint64 {
	if n, ok := r.item[name].(*types.AttributeValueMemberN); ok {
		if value, err := strconv.ParseUint(n.Value, 10, 64); err == nil {
			return value
		}
	}
	r.wrong(name)
	return 0
}

func (r *reader) time(name string) time.Time {
	return time.UnixMilli(int64(r.number(name))) //nolint:gosec // what we wrote
}

func (r *reader) wrong(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("item has no attribute %q as this Millrace writes it; is the table used by something else?", name)
	}
}

// version refuses what a newer Millrace wrote.
func (r *reader) version() {
	if v := r.number(attributeVersion); r.err == nil && v > Version {
		r.err = fmt.Errorf("item of version %d, this Millrace reads up to %d: update it, or use another table", v, Version)
	}
}

func readClaim(it item) (claimed, error) {
	r := &reader{item: it}
	r.version()
	c := claimed{
		place: int(r.number(attributePlace)), content: r.number(attributeContent), lease: r.time(attributeLease), //nolint:gosec // a small count
		expiry: r.time(attributeExpiry),
	}
	if copy(c.holder[:], r.bytes(attributeHolder)) != len(c.holder) {
		r.wrong(attributeHolder)
	}
	return c, r.err
}

func readSettlement(it item) (id [16]byte, s settled, err error) {
	r := &reader{item: it}
	r.version()
	if copy(id[:], bytes.TrimPrefix(r.bytes(KeyAttribute), []byte("t"))) != len(id) {
		r.wrong(KeyAttribute)
	}
	s = settled{done: r.number(attributeDone) == uint64(dedup.Release), expiry: r.time(attributeExpiry)}
	if it[attributeBits] != nil {
		s.bits = r.bytes(attributeBits)
	}
	return id, s, r.err
}
