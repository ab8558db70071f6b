// Package posthog receives events from PostHog SDKs, protocol v0.
//
// # Paths
//
// POST and GET on /batch, /capture, /e, /i/v0/e, /track and /engage take events. /flags,
// /decide, /array/{token}/config, /array/{token}/config.js and /flags/definitions answer
// that there are no flags and nothing to record, which keeps SDKs quiet.
//
// # Bodies
//
// One event, an array of events, or {"api_key":…,"batch":[…]}; as JSON, as a form
// (data=…), or in the query of a GET (?data=…). Encodings are taken from the query's
// compression, else the form's, else Content-Encoding: gzip (gzip-js), base64 (b64) and
// lz64 (lz-string). Undeclared gzip and base64 are recognised.
//
// # Token
//
// api_key or token beside the batch; else token, api_key or $token of the events; else
// properties.token. None, a personal key (phx_…), or two different ones: 401. The token
// is not kept anywhere, except that an event which carries it inside keeps its bytes.
//
// # Events
//
//	field     from
//	ID        uuid; else a hash of token, event, distinct_id and timestamp; without a
//	          timestamp a new UUIDv7, for the same things can happen twice
//	Source    empty: the write key's name
//	Type      event ("$identify" on /engage, where there may be none)
//	Subject   distinct_id, $distinct_id, or those in properties; cut at 200 characters
//	Time      timestamp, else arrival less offset; set right by sent_at when the
//	          client's clock is off by more than a minute
//	Kind      "event"
//	Group     {"historical_migration":true} where the batch says so, so that such events
//	          are batched apart
//
// # Answers
//
// 200 {"status":1}, or 204 for beacon=1, once the events are durable. Errors are plain
// text. The protocol cannot name single events: those that are refused beside good ones
// become dead letters (Decoded.Unreported), and 400 says that none was good.
//
// Source: posthog.com/docs/api/capture and the SDKs' own sources.
package posthog
