package journal

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

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

// Journal is an open data directory. A nil *Journal keeps nothing and fails never, for owners that live in memory only.
//
// Set, SetSoon, Delete, DeletePrefix and Submit must be called under one lock of the owner, which gives them their order; everything
// else is safe for concurrent use.
type Journal struct {
	options Options
	db      *pebble.DB
	lock    *pebble.Lock
	close   func() error
	// opened is true when Open has come to its end.
	opened atomic.Bool

	// current is the change being recorded, under the owner's lock; urgent when it must be synced.
	current *pebble.Batch
	urgent  bool

	// using is held alone by commits and by Close, which use db, and shared by reads.
	using sync.RWMutex
	mu    sync.Mutex
	// latest is the last ticket that was given out, and taken when its commit has begun.
	latest *Ticket
	// stopped is why nothing can be written any more; nil while it can.
	stopped error
	// broken is closed once, when pebble itself gave up, after which nothing may wait for it.
	broken  chan struct{}
	breaker sync.Once
}

// Set records that key has that value; both are copied.
func (j *Journal) Set(key, value []byte) {
	if j != nil {
		j.urgent = true
		j.SetSoon(key, value)
	}
}

// SetSoon is Set for a change whose loss in a crash is harmless.
func (j *Journal) SetSoon(key, value []byte) {
	if j != nil {
		_ = j.current.Set(key, value, nil) // a batch takes everything
	}
}

// Delete records that key is gone.
func (j *Journal) Delete(key []byte) {
	if j != nil {
		j.urgent = true
		_ = j.current.Delete(key, nil)
	}
}

// DeletePrefix records that every key that starts with prefix is gone.
func (j *Journal) DeletePrefix(prefix []byte) {
	if j != nil {
		j.urgent = true
		_ = j.current.DeleteRange(prefix, after(prefix), nil)
	}
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

// Err returns an ErrStopped when the journal can no longer be written.
func (j *Journal) Err() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stopped
}

// Get returns a copy of a key's value, nil when there is none. It sees what was waited for.
func (j *Journal) Get(key []byte) (value []byte, err error) {
	err = j.read(func() error {
		found, closer, err := j.db.Get(key)
		if errors.Is(err, pebble.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		value = bytes.Clone(found)
		return closer.Close()
	})
	return value, err
}

// Each calls fn for every key with that prefix, in order, and ends with the first error of fn. Key and value are valid during the call
// only. It sees what was waited for.
func (j *Journal) Each(prefix []byte, fn func(key, value []byte) error) error {
	return j.read(func() error {
		all, err := j.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
		if err != nil {
			return err
		}
		for valid := all.First(); valid && err == nil; valid = all.Next() {
			var value []byte
			if value, err = all.ValueAndErr(); err == nil {
				err = fn(all.Key(), value)
			}
		}
		return errors.Join(err, all.Close())
	})
}

// read runs fn, unless the journal has stopped, and explains its error.
func (j *Journal) read(fn func() error) error {
	j.using.RLock()
	defer j.using.RUnlock()
	if err := j.Err(); err != nil {
		return err
	}
	return explained(j.options.Dir, fn())
}
