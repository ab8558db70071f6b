// Package httpsend makes one attempt to post one body, for every sink that speaks HTTP.
//
// A sink gives it a Request and reads the Reply; the Sender owns what is the same for
// all of them:
//
//   - connections, kept alive per sink; redirects are not followed;
//   - compression, with pooled buffers;
//   - the Idempotency-Key header and the configured ones;
//   - the time-out of the attempt, and bounds on how much of a reply is read and for how
//     long, so that no destination can hold a flush or fill its memory;
//   - the judgement: response rules for replies, one function for network errors;
//   - excerpts of replies without secrets, short enough for a dead letter.
//
// It never retries: pkg/flush does. That includes net/http, which would repeat a POST by
// itself where it sees an Idempotency-Key (see Sender.header).
//
// Anything but a delivery comes back as a *sink.Failure that holds for the whole batch:
//
//	what happened                                  class
//	2xx                                            (delivered)
//	429; 503 with Retry-After                      throttled
//	408, 425, 5xx                                  transient
//	413                                            too-large
//	401, 403, 407, 3xx                             setup
//	410, other 4xx                                 permanent
//	no reply within Options.Timeout                transient
//	refused, reset, DNS, TLS alert                 transient
//	certificate not trusted, expired, wrong host   setup
//	https to a server that speaks http             setup
//	the caller's context done                      cancelled
//
// The rows about replies are Defaults; Options.Rules go before them.
package httpsend
