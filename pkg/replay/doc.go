// Package replay sends dead letters again.
//
// It pulls letters when it is invoked, never through an event-source mapping: a letter
// that still cannot be delivered would otherwise go round for ever. Each letter that
// the request means is put on the main queue as a new pack of the next generation, and
// deleted only when that is confirmed; a crash between the two sends it twice, under
// the same pack id. All other letters go back as they were; SQS counts one more receive
// of them, which has no effect on a queue without a redrive policy of its own.
//
// A run that cannot reach the end of the queue before its deadline reports More. What
// it has looked at and left stays hidden until five minutes after that deadline, so the
// next run goes on behind it without a cursor: it meets only letters that no run has
// seen, and none is skipped, as all come back by themselves. Dry runs, runs with a limit
// and runs that fail put everything back at once.
//
// SQS hides at most 120,000 messages of a queue at a time, so a run stops with More at
// 100,000 letters that stay. A queue with more letters than that which nobody means is
// best narrowed with a wider filter first: behind the 120,000 SQS shows no further ones.
package replay
