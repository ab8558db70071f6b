// Package httpsink is the `http` sink: it posts batches of records to one URL, as NDJSON
// or as a JSON array.
//
//	POST /path HTTP/1.1
//	Content-Type: application/x-ndjson         or application/json
//	Content-Encoding: gzip                     or zstd, or absent
//	Idempotency-Key: 3f0c…                     equal for every attempt with the same events
//
//	{"id":…,"source":…,"type":…,"time":…,"subject":…,"tenant":…,"data":{…}}
//	…
//
// A record is that of pkg/sink/record. The reply's status says what became of the whole
// batch, by the rules that are configured, those of a preset, and httpsend.Defaults. Its
// body is not read unless Options ask for JSON or for results per event, in one of the
// formats of pkg/sink/itemresult.
package httpsink
