// Package ingest is the way in: an http.Handler that turns the requests of SDKs into
// packs on a queue.
//
// Every request goes the same way, whatever its protocol:
//
//	route     exact path (route.go); CORS (cors.go)
//	read      the body, under a limit; undo its encodings (receiver.Body)
//	decode    by the protocol's receiver: events, refused items, write key
//	key       must be known and may use the receiver (keys.go)
//	process   filters drop what the configuration does not want (process.go)
//	pack      batch.Encode; refused items nobody is told of become dead letters (refused.go)
//	send      dead letters first, then events (send.go)
//	reply     in the protocol's words: 2xx only now
//
// A 2xx means that every accepted event is durable. Queue trouble is 503 with
// Retry-After, and the client keeps its events.
//
// A dead letter made here holds one event for each refused item, of Kind "refused". Its
// Data is the item itself when it is valid JSON; else the original text as a JSON
// string; else, when the bytes are no text, {"base64":"…"}.
package ingest
