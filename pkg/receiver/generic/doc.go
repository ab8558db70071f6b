// Package generic receives events of any shape over plain HTTP, for programs without an
// SDK.
//
// POST /v1/ingest takes one JSON object, an array of objects, or NDJSON (one object a
// line; recognised by a second line that starts with "{", or a content type that says
// ndjson or jsonl). The write key is in "Authorization: Bearer KEY", "X-Api-Key: KEY" or
// "?key=KEY", looked for in this order.
//
// Members with CloudEvents names describe the event when they are strings; everything
// else is the event's own business, and the object travels on unchanged:
//
//	member                         meaning
//	id                             identity within the source, for recognising repeats
//	source                         context of the id; the write key's name when missing
//	type                           what happened; "event" when missing
//	time                           when, RFC 3339
//	subject, name, severity        see event.Event
//	trace, traceparent, trace_id   W3C traceparent or trace id
//
// An event without an id gets a new UUIDv7. Give events an id of your own if a repeated
// request must be recognised: two equal events without ids are two events, so no id is
// ever made from their content.
//
// The reply is 200 as soon as everything acceptable is durable, or 400 when nothing is:
//
//	{"accepted":2,"refused":[{"position":1,"id":"a1","cause":"duplicate object member name at byte 120 (/x)"}]}
//
// Position counts items from 0; empty lines of NDJSON do not count. A request that cannot
// be read at all is answered {"error":{"code":"…","message":"…"}}.
package generic
