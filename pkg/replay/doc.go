// Package replay sends dead letters again.
//
// It pulls letters when it is invoked, never through an event-source mapping: a letter
// that still cannot be delivered would otherwise go round for ever. Each letter that
// the request means is put on the main queue as a new pack of the next generation, and
// deleted only when that is confirmed; a crash between the two sends it twice, under
// the same pack id. All other letters go back as they were; SQS counts one more receive
// of them, which has no effect on a queue without a redrive policy of its own.
//
// # Going on without a cursor
//
// SQS has no cursor: a receive returns some letters that are visible, in no order. What
// takes its place is the visibility window. A run that cannot reach the end of the queue
// in its time reports More, and leaves hidden what it has looked at and not sent, until
// Request.HideSeconds (five minutes) after its time. The next run of the same id thus
// goes on behind it:
//
//		run 1    ├ looked at, left ┤ ············ hidden ············ ┤ visible again
//		run 2                      ├ the others ┤ ······ hidden ······ ┤
//		                                        └ nothing visible: the end
//
//	  - Nothing is skipped: every letter becomes visible again by itself, whoever dies. What
//	    a run had chosen and found no time for is put back at once.
//	  - Nothing is repeated without bound: a run means only letters that were there when its
//	    first invocation began (Request.Started). What a broken sink refuses again meanwhile
//	    comes later than that, as generation 2, and waits for another run. If looking takes
//	    longer than the window, letters that stay are looked at, and counted under Left,
//	    more than once; what was replayed is gone.
//	  - A run that goes on by itself (Request.Continue) invokes the function at most twelve
//	    times in a row, three hours of Lambda's longest invocations.
//	  - The last run puts back what it looked at itself; what earlier ones left comes back
//	    when their windows end.
//
// Dry runs, runs with a limit that nobody goes on with, and runs that fail put everything
// back at once.
//
// SQS hides at most 120,000 messages of a queue at a time, so a run stops with More at
// 100,000 letters that stay. A queue with more letters than that which nobody means is
// best narrowed with a wider filter first: behind the 120,000 SQS shows no further ones.
//
// # Letters that are cut
//
// Headers do not hold the types of events, so a request with a type decodes the events of
// the letters that fit otherwise. Of a letter that fits in part, what is meant goes to the
// main queue, the rest back to the dead letters with the story it has, and then the letter
// is deleted:
//
//	a crash                         leaves                            the next run
//	before anything is written      the letter                        does it all
//	after the pack                  the letter, the pack              sends the same pack id again
//	after the rest                  the letter, the pack, the rest    and writes the same rest again
//	after the delete                the pack, the rest                finds nothing to do
package replay
