package journal

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
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

// versionKey holds Options.Version; owners' keys do not start with a zero byte.
const versionKey = "\x00version"

// Open opens a data directory, making it when missing, and recovers what was on disk. Errors are ErrInUse, ErrCorrupt, ErrNewer, or the
// file system's. Close it.
func Open(options Options) (*Journal, error) {
	options.FileSystem = cmp.Or[vfs.FS](options.FileSystem, vfs.Default)
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	j := &Journal{options: options, wake: make(chan struct{}, 1), done: make(chan struct{}), pending: newTicket(), latest: failed(nil)}
	if err := options.FileSystem.MkdirAll(options.Dir, dirMode); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	var err error
	if j.lock, err = pebble.LockDirectory(options.Dir, options.FileSystem); err != nil {
		return nil, unlocked(options.Dir, err)
	}
	if err := unseal(options.FileSystem, options.Dir); err != nil {
		return nil, errors.Join(err, j.lock.Close())
	}
	if err := j.open(); err != nil {
		return nil, errors.Join(err, j.lock.Close())
	}
	j.current = j.db.NewBatch()
	go j.run()
	return j, nil
}

func (j *Journal) open() (err error) {
	cache := pebble.NewCache(cacheBytes)
	defer cache.Unref()
	j.db, err = pebble.Open(j.options.Dir, &pebble.Options{
		FS: j.options.FileSystem, Lock: j.lock, Cache: cache, FormatMajorVersion: format,
		MemTableSize: memTableBytes, MemTableStopWritesThreshold: memTables, Logger: verdicts{j},
		EventListener: &pebble.EventListener{DataCorruption: verdicts{j}.damage},
	})
	if err != nil {
		return unreadable(j.options.Dir, err)
	}
	if err := j.checkVersion(); err != nil {
		return errors.Join(err, j.db.Close())
	}
	return nil
}

// checkVersion refuses what a newer program wrote, and leaves this one's mark.
func (j *Journal) checkVersion() error {
	text, closer, err := j.db.Get([]byte(versionKey))
	if errors.Is(err, pebble.ErrNotFound) {
		return j.mark()
	}
	if err != nil {
		return unreadable(j.options.Dir, err)
	}
	version, err := strconv.ParseUint(string(text), 10, 64)
	if err := errors.Join(err, closer.Close()); err != nil {
		return unreadable(j.options.Dir, fmt.Errorf("%w: %w", pebble.ErrCorruption, err))
	}
	if version > j.options.Version {
		return fmt.Errorf("data directory %s %w (%d, this one reads up to %d): update this program, or use another directory",
			j.options.Dir, ErrNewer, version, j.options.Version)
	}
	return nil
}

// mark leaves the version in a new directory. The flush begins a new log: the first one of a store is in pebble's
// oldest format, in which damage in the middle looks like a torn end.
func (j *Journal) mark() error {
	err := j.db.Set([]byte(versionKey), strconv.AppendUint(nil, j.options.Version, 10), pebble.Sync)
	if err == nil {
		err = j.db.Flush()
	}
	if err != nil {
		return fmt.Errorf("data directory %s: %w", j.options.Dir, err)
	}
	return nil
}

// unlocked explains why the lock could not be had.
func unlocked(dir string, err error) error {
	if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held") {
		return fmt.Errorf("data directory %s %w: stop that one, or use another directory (%w)", dir, ErrInUse, err)
	}
	return fmt.Errorf("data directory %s: %w", dir, err)
}

// unreadable explains why a directory cannot be read and what to do.
func unreadable(dir string, err error) error {
	switch {
	case strings.Contains(err.Error(), "unknown format major version"):
		return fmt.Errorf("data directory %s %w: update this program, or use another directory (%w)", dir, ErrNewer, err)
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("data directory %s %w: move it away to start with nothing, or restore it from a copy (%w)", dir, ErrCorrupt, err)
	}
	return fmt.Errorf("data directory %s: %w", dir, err)
}

// Close commits what was submitted, seals the directory and lets it go. It is idempotent. The error is that of the last commits, if any.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	if j.closed {
		defer j.mu.Unlock()
		return j.stopped
	}
	j.closed = true
	j.mu.Unlock()
	close(j.wake)
	<-j.done
	j.mu.Lock()
	problem, broken := j.stopped, j.broken
	j.mu.Unlock()
	if broken { // pebble's own locks may be held for ever
		return errors.Join(problem, j.lock.Close())
	}
	// The current change is left to the garbage collector: closing would put it back into pebble's pool, while a timer of
	// the owner that is just ending may still look into it.
	if err := j.db.Close(); err != nil {
		problem = errors.Join(problem, fmt.Errorf("data directory %s: %w", j.options.Dir, err))
	}
	if problem == nil {
		problem = seal(j.options.FileSystem, j.options.Dir)
	}
	return errors.Join(problem, j.lock.Close())
}

// Full says whether so little space is left that adding anything should be refused. It asks the file system.
func (j *Journal) Full() bool {
	if j == nil {
		return false
	}
	usage, err := j.options.FileSystem.GetDiskUsage(j.options.Dir)
	return err == nil && usage.AvailBytes < ReserveBytes // where nobody can tell, the write itself will
}
