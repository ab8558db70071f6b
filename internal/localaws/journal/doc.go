// Package journal keeps the state of an embedded service on disk, so that it survives a restart and a kill -9.
//
// The owner keeps its state in memory and records every change as keys and values while it holds its own lock:
//
//	journal.Set(key, value)      any number of changes,
//	journal.Delete(key)          in memory only
//	ticket := journal.Submit()   the end of one atomic change; unlock
//	err := ticket.Wait()         it is on disk; answer the client
//
// What is submitted while one commit is being synced goes with the next one (group commit): the more callers wait, the more
// share one fsync. What was submitted by one call is on disk as a whole or not at all, and in the order of the calls.
//
// A change whose loss is harmless is recorded with SetSoon: it is written with the next commit but does not cause a sync of its own.
//
// Underneath is the key-value store pebble, chosen by measurement (docs/adr). It brings checksums, a torn tail that is cut
// off, compaction in the background, a versioned format and the lock against a second process.
//
// # What is refused
//
// Open cuts off a torn end, which is what a crash leaves of changes that nobody was told of, and refuses damage anywhere before, a newer
// version and a second process. After a clean Close there is no torn end: what Close left is sealed with checksums, and damage anywhere
// in it is refused. What remains: after a crash, damage in the last 32 KiB block of a log cannot be told from a torn end.
//
// # When the disk is full
//
// Full says so while ReserveBytes are left; owners then refuse what adds data, and what removes data still works. If
// a write fails nevertheless, the journal stops: Err and every later ticket return ErrStopped, and what is on disk is every change
// whose ticket was good. Open on a disk without any room says so.
package journal
