// Package batch holds the two shapes in which events travel together: the pack (many
// events in one SQS message) and the batch (many events in one request to a sink).
//
// # Pack, version 1
//
// A pack is one SQS message. Its body is a JSON header that a person can read and an
// event-source-mapping filter can match; its events are in one Binary message
// attribute named "events". Body, attribute name, attribute type and attribute value
// together are at most 1 MiB (MaxMessageBytes).
//
// Header members, in this order on the wire; "-" marks members left out when empty:
//
//	member      type     meaning
//	v           int      format version: 1
//	id          string   deterministic pack id, 32 hex digits (see below)
//	tenant      string   owner of every event in the pack
//	receiver    string   receiver that decoded them
//	kinds       [string] the kinds inside, sorted
//	count       int      events inside, at least 1
//	bytes       int      size of the events section before compression
//	first,last  string   earliest and latest acceptance, RFC 3339 with nanoseconds
//	enc         string   "zstd", or "identity" when that is smaller
//	sum         string   CRC-32C of the attribute's bytes, 8 hex digits
//	claim     - string   key of the object that holds those bytes instead (see below)
//	trace     - string   W3C traceparent of the request
//	sink      - string   the only sink this pack is for; absent: route it
//	attempt   - int      attempts already made at that sink
//	generation- int      times replayed from the dead letters
//	not_before- string   do not send before this time (waits longer than SQS's 15 minutes)
//	reason    - object   why the pack is a residue or a dead letter (see Reason)
//
// Unknown members are ignored, so a header can grow; a change that old readers would
// misunderstand raises v, and a reader leaves a newer v on the queue.
//
// The events section, after decompression:
//
//	field    encoding                 meaning
//	groups   uvarint n, n x bytes     table of distinct groups
//	frames   count x frame            the events
//
//	frame    uvarint length, then length bytes:
//	  id, source, type, name, subject, severity, trace id, kind   bytes each
//	  time     bytes: empty for none, else varint unix seconds, uvarint nanoseconds
//	  group    uvarint index into groups
//	  data     bytes: the original JSON
//	  …        later versions may append fields; readers skip what is left
//
// "bytes" is a uvarint length followed by that many bytes. Tenant and receiver are
// those of the header. An attribute that a reader cannot decode is an ErrCorrupt.
//
// # Claim check
//
// A pack of one event that does not fit a message even so is checked in: the bytes of the
// attribute are an object in a bucket, the message has no attribute, and the header's
// claim is the key. Everything else about the pack is as always: sum, bytes and enc
// describe the object. Keys have the form
//
//	packs/TENANT/SHA256
//
//	TENANT   the tenant's name, if it has at most 64 characters, only A-Z a-z 0-9 - _ .
//	         and not only dots; else "~" and its SHA-256 in hex
//	SHA256   of the object's bytes, in hex
//
// A claim of any other form, or of another tenant, is an ErrCorrupt. The key follows from the
// bytes, so a repeated request, a residue and a dead letter of the same event have the same
// object. Whoever writes such a message writes the object first, even if it is there
// already: an object is thus never older than the newest message that claims it, and may be
// removed by age alone once messages of that age are gone (SQS keeps one for 14 days at most).
//
// # Pack identity
//
// The id of a fresh pack is a hash of tenant, receiver and event identities, so an
// SDK that repeats a request produces the same pack again. The id of an addressed
// pack also covers sink, attempt and generation, so a residue differs from its
// parent, and writing the same residue twice gives the same id.
package batch
