package journal

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Why a data directory is refused.
var (
	// ErrInUse means that another process has it open.
	ErrInUse = errors.New("is in use by another process")
	// ErrCorrupt means that its files are damaged other than by a torn end.
	ErrCorrupt = errors.New("is damaged")
	// ErrNewer means that a newer program has written it.
	ErrNewer = errors.New("was written by a newer version")
)

// errVersion is ErrNewer before it is explained.
var errVersion = errors.New("unknown version of its contents")

const (
	// ReserveBytes is the space that is left to deletes and to pebble's own files when Full refuses anything else: two
	// memtables written out, their log, and a compaction.
	ReserveBytes = 64 << 20
	// memTableBytes is how much is written before it goes into a sorted file. What lives shorter than that, and most messages do, is
	// written once.
	memTableBytes = 16 << 20
	// memTables is how many of them may wait to be written out before writers wait.
	memTables = 4
	// cacheBytes is small: everything is read once, at the start.
	cacheBytes = 1 << 20
	// format is pinned, so that a newer pebble does not silently make directories that this one cannot read. It is the one that tells damage in the middle
	// of a log from its torn end.
	format = pebble.FormatWALSyncChunks
	// dirMode keeps the events of other people to their owner.
	dirMode = 0o700
)

// Open opens a data directory, making it when missing, and recovers what was on disk. Errors are ErrInUse, ErrCorrupt, ErrNewer, or the
// file system's. Close it.
func Open(options Options) (*Journal, error) {
	options.FileSystem = cmp.Or[vfs.FS](options.FileSystem, vfs.Default)
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	j := &Journal{options: options, broken: make(chan struct{})}
	j.close = sync.OnceValue(j.shut)
	if err := explained(options.Dir, j.open()); err != nil {
		return nil, err
	}
	j.current = j.db.NewBatch()
	j.opened.Store(true)
	return j, nil
}

func (j *Journal) open() (err error) {
	if err := j.options.FileSystem.MkdirAll(j.options.Dir, dirMode); err != nil {
		return err
	}
	if j.lock, err = pebble.LockDirectory(j.options.Dir, j.options.FileSystem); err != nil {
		return err
	}
	was, err := j.unseal()
	if err == nil {
		err = j.beside(func() error { return j.openStore(was) })
	}
	if err != nil {
		return errors.Join(err, j.lock.Close())
	}
	return nil
}

// openStore opens pebble in a directory that had that seal.
func (j *Journal) openStore(was string) (err error) {
	cache := pebble.NewCache(cacheBytes)
	defer cache.Unref()
	j.db, err = pebble.Open(j.options.Dir, &pebble.Options{
		FS: j.options.FileSystem, Lock: j.lock, Cache: cache, FormatMajorVersion: format,
		MemTableSize: memTableBytes, MemTableStopWritesThreshold: memTables, Logger: verdicts{j},
		EventListener: &pebble.EventListener{DataCorruption: verdicts{j}.damage, BackgroundError: verdicts{j}.background},
	})
	if err == nil && was == "" {
		// It begins a new log: the first one of a store is in pebble's oldest format, in which damage in the middle looks like a torn end.
		err = j.db.Flush()
	}
	return err
}

// explained says which directory cannot be used, why, and what to do.
func explained(dir string, err error) error {
	if err == nil || errors.Is(err, ErrStopped) { // that says it already
		return err
	}
	var reason error
	var advice string
	text := err.Error()
	switch {
	case errors.Is(err, syscall.EAGAIN), strings.Contains(text, "lock held"):
		reason, advice = ErrInUse, "stop that one, or use another directory"
	case errors.Is(err, errVersion), strings.Contains(text, "unknown format major version"):
		reason, advice = ErrNewer, "update this program, or use another directory"
	case pebble.IsCorruptionError(err), strings.Contains(text, "object size mismatch"):
		reason, advice = ErrCorrupt, "move it away to start with nothing, or restore it from a copy"
	default:
		return fmt.Errorf("data directory %s: %w", dir, err)
	}
	return fmt.Errorf("data directory %s %w: %s (%w)", dir, reason, advice, err)
}

// Close syncs what was submitted, seals the directory and lets it go. It is idempotent. The error is that of the last writes, if any.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	return j.close()
}

func (j *Journal) shut() error {
	j.mu.Lock()
	last := j.latest
	j.mu.Unlock()
	_ = last.Wait() // what it says, Err says too
	j.using.Lock()
	defer j.using.Unlock()
	stopped := j.Err()
	// The current change is left to the garbage collector: closing would put it back into pebble's pool, while a timer of
	// the owner that is just ending may still look into it.
	err := j.beside(func() error {
		err := j.db.Close()
		if stopped == nil && err == nil {
			err = j.seal()
		}
		return err
	})
	_ = j.end(fmt.Errorf("%w: it is closed", ErrStopped))
	return errors.Join(cmp.Or(stopped, explained(j.options.Dir, err)), j.lock.Close())
}

// Full says whether so little space is left that adding anything should be refused. It asks the file system.
func (j *Journal) Full() bool {
	if j == nil {
		return false
	}
	usage, err := j.options.FileSystem.GetDiskUsage(j.options.Dir)
	return err == nil && usage.AvailBytes < ReserveBytes // where nobody can tell, the write itself will
}
