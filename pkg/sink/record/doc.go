// Package record writes an event the way the http, file and stdout sinks send it: as
// one line of JSON around the event's original bytes.
//
//	{"id":"…","source":"…","type":"…","time":"…","subject":"…","tenant":"…","data":{…}}
//
//	member   value
//	id       the event's id, unique within its source
//	source   the context in which ids are unique
//	type     what happened, in the producer's words
//	time     when it happened, RFC 3339 in UTC with up to nine decimals; left out when unknown
//	subject  what it happened to; left out when empty
//	tenant   the owner, named by the write key
//	data     the event's original JSON; null when it has none
//
// The members come in this order. Data is copied byte for byte, with one exception:
// white space between its tokens is taken out when it holds a line break, so that a
// record is always one line. Reading the members at the destination and dropping
// (source, id) pairs that were seen before removes the repeats of at-least-once delivery.
package record
