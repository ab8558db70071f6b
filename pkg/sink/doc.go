// Package sink defines what a destination must do, and what it says of each event.
//
// A sink owns its encoding, its limits and the reading of replies. It does not retry,
// wait, split or dead-letter: pkg/flush does, the same way for every sink, from the
// outcomes a sink reports. Sinks live in packages of their own (httpsink, filesink);
// each passes the contract suite in sinktest.
package sink
