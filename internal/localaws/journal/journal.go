package journal

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options configure a journal.
type Options struct {
	// Dir is where it lives; it is made when missing. Required.
	Dir string
	// Version of the keys and values that the owner writes, 1 or more. A directory with a higher one is refused. Required.
	Version uint64
	// FileSystem is where Dir is; nil means the machine's. Tests put a faulty one here.
	FileSystem vfs.FS
	// Logger gets what goes wrong in the background; nil means silence.
	Logger *slog.Logger
}

// ErrStopped is what everything returns after a write to disk has failed.
var ErrStopped = errors.New("the journal can no longer be written")

// Journal is an open data directory. A nil *Journal keeps nothing and fails never, for owners that live in memory only.
//
// Set, SetSoon, Delete, DeletePrefix and Submit must be called under one lock of the owner, which gives them their order; everything
// else is safe for concurrent use.
type Journal struct {
	options Options
	db      *pebble.DB
	lock    *pebble.Lock
	// current is the change being recorded, under the owner's lock; urgent when it must be synced.
	current *pebble.Batch
	urgent  bool

	mu sync.Mutex
	// pending is what the next commit takes; latest the last ticket with anything in it.
	pending, latest *Ticket
	stopped         error
	closed          bool
	// broken is true when pebble itself gave up, after which it must not be called.
	broken bool
	// wake has room for one signal: that there is something to commit.
	wake chan struct{}
	done chan struct{}
}

// Set records that key has that value; both are copied.
func (j *Journal) Set(key, value []byte) {
	if j == nil {
		return
	}
	j.urgent = true
	j.record(j.current.Set(key, value, nil))
}

// SetSoon is Set for a change whose loss in a crash is harmless.
func (j *Journal) SetSoon(key, value []byte) {
	if j == nil {
		return
	}
	j.record(j.current.Set(key, value, nil))
}

// Delete records that key is gone.
func (j *Journal) Delete(key []byte) {
	if j == nil {
		return
	}
	j.urgent = true
	j.record(j.current.Delete(key, nil))
}

// DeletePrefix records that every key that starts with prefix is gone.
func (j *Journal) DeletePrefix(prefix []byte) {
	if j == nil {
		return
	}
	j.urgent = true
	j.record(j.current.DeleteRange(prefix, after(prefix), nil))
}

// after returns the first key behind all keys with that prefix, nil when there is none.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// record stops the journal over a change that could not even be noted; pebble's batches have no reason to refuse one.
func (j *Journal) record(err error) {
	if err != nil {
		_ = j.stop(err)
	}
}

// Submit ends the change that was recorded since the last Submit and hands it to the next commit. With nothing recorded
// its ticket stands for everything submitted before.
func (j *Journal) Submit() *Ticket {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.current.Empty() {
		return j.latest
	}
	if j.stopped == nil && j.closed {
		j.stopped = ErrStopped
	}
	if j.stopped != nil {
		j.current.Reset()
		return failed(j.stopped)
	}
	j.hand()
	select {
	case j.wake <- struct{}{}:
	default:
	}
	return j.latest
}

// hand moves the current change into the pending ones.
func (j *Journal) hand() {
	t := j.pending
	if t.batch == nil {
		t.batch, j.current = j.current, j.db.NewBatch()
	} else {
		if err := t.batch.Apply(j.current, nil); err != nil {
			j.options.Logger.Error("journal", "error", err)
		}
		j.current.Reset()
	}
	t.urgent = t.urgent || j.urgent
	j.urgent = false
	j.latest = t
}

// Err returns an ErrStopped when the journal can no longer be written.
func (j *Journal) Err() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stopped
}

// Each calls fn for every key with that prefix, in order. Key and value are valid during the call only.
func (j *Journal) Each(prefix []byte, fn func(key, value []byte) error) (err error) {
	all, err := j.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return unreadable(j.options.Dir, err)
	}
	defer func() {
		if closing := all.Close(); closing != nil && err == nil {
			err = unreadable(j.options.Dir, closing)
		}
	}()
	for valid := all.First(); valid; valid = all.Next() {
		value, err := all.ValueAndErr()
		if err != nil {
			return unreadable(j.options.Dir, err)
		}
		if err := fn(all.Key(), value); err != nil {
			return err
		}
	}
	return nil
}
