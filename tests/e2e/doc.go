// Package e2e runs the whole: bin/millrace and the three bootstrap binaries on the
// embedded AWS, SDK clients in front, sinks behind. `make test` builds the binaries
// first.
//
// The books are checked with sets of event ids: what clients were told is accepted,
// what sinks hold, what is on the two queues.
package e2e
