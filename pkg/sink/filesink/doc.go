// Package filesink has the sinks of a laptop: `file` appends records to a file as NDJSON,
// `stdout` writes them to a stream.
//
// A File keeps nothing open between batches, so that the file may be rotated, moved or
// deleted at any time. For each batch it opens the file, takes an exclusive lock, writes
// the whole batch with one write, syncs it to the disk, and only then reports it
// delivered. Several processes may append to the same file: batches do not interleave.
//
// What goes wrong, and what becomes of the batch:
//
//	what happened                               class
//	disk or quota full, I/O error               transient; what was written is cut off again
//	no permission, read-only, not a directory   setup
//	the caller's context done                   cancelled
//
// When a crash left half a line at the end of the file, the next batch begins on a line
// of its own. The half line stays: its event was never reported delivered and comes again.
package filesink
