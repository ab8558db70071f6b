// Package demosink is a destination for events that shows what arrives and fails on demand: behind `millrace sink`,
// `millrace dev --demo` and the end-to-end tests.
//
// It takes what the http sink sends: POST or PUT on any path, NDJSON, a JSON array or one JSON object, plain, gzip or
// zstd. It knows an event by its member "id", else "uuid", else "data.uuid", and counts how often each came.
//
//	POST   /_sink          {"status":500}: from now on answer so; {} or {"status":200}: be well again
//	GET    /_sink          the counts, and how it behaves; with ?ids=1 every id with how often it came
//	DELETE /_sink          forget the counts
//
// Members of a behaviour, all optional:
//
//	status       what a failing request is answered; default 500
//	fail_rate    share of the requests that fail, 0 to 1; default all once anything else is set
//	delay        how long every answer takes: "2s"
//	retry_after  seconds for the Retry-After header of a failing answer
//	hang         a failing request gets no answer until the client gives up
//	reset        a failing request's connection is reset
//	partial      a failing request takes the first half of its events before it fails
package demosink
