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
// it has looked at and left stays hidden for a while (lookVisibility), so that the next
// run goes on behind it without a cursor.
package replay
