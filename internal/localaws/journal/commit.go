package journal

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// ErrStopped is what everything returns after a write to disk has failed, and after Close.
var ErrStopped = errors.New("the journal can no longer be written")

// Ticket stands for what was submitted during one commit and goes to disk with the next. A nil ticket is done.
type Ticket struct {
	batch  *pebble.Batch
	urgent bool
	taken  bool
	done   chan struct{}
	err    error
}

// Wait returns when the changes are on disk, or an ErrStopped when they will never be.
func (t *Ticket) Wait() error {
	if t == nil {
		return nil
	}
	<-t.done
	return t.err
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
	if j.latest == nil || j.latest.taken {
		j.latest = &Ticket{batch: j.db.NewBatch(), done: make(chan struct{})}
		go j.commit(j.latest)
	}
	_ = j.latest.batch.Apply(j.current, nil) // it takes everything
	j.latest.urgent = j.latest.urgent || j.urgent
	j.current.Reset()
	j.urgent = false
	return j.latest
}

// commit waits for the commit before, which was taken before this one began, and writes what has been submitted until then.
func (j *Journal) commit(t *Ticket) {
	j.using.Lock()
	defer j.using.Unlock()
	j.mu.Lock()
	t.taken = true
	j.mu.Unlock()
	t.err = j.beside(func() error { return j.write(t) })
	close(t.done)
}

func (j *Journal) write(t *Ticket) error {
	err := j.Err()
	switch {
	case err != nil:
		return err
	case t.urgent:
		err = j.writeAndSync(t.batch)
	default:
		err = j.db.Apply(t.batch, pebble.NoSync)
	}
	if err != nil {
		return j.stop(err)
	}
	return t.batch.Close()
}

// writeAndSync is Apply with Sync, which takes a failed sync for a reason to end the process.
func (j *Journal) writeAndSync(batch *pebble.Batch) error {
	if err := j.db.ApplyNoSyncWait(batch, pebble.Sync); err != nil {
		return err
	}
	return batch.SyncWait()
}

// stop ends the journal over a disk that cannot be written.
func (j *Journal) stop(cause error) error {
	j.options.Logger.Error("journal stopped", "error", cause)
	return j.end(fmt.Errorf("%w: %w; make room there and start again", ErrStopped, explained(j.options.Dir, cause)))
}

// end makes everything fail from now on and returns the reason; the first one stays.
func (j *Journal) end(reason error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopped = cmp.Or(j.stopped, reason)
	return j.stopped
}

// beside runs fn, which uses pebble, on another goroutine: when pebble gives up it ends that, or leaves it waiting for ever.
func (j *Journal) beside(fn func() error) error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		return err
	case <-j.broken:
		return j.Err()
	}
}

// verdicts is pebble's logger.
type verdicts struct{ journal *Journal }

// Infof hears of every flush and compaction.
func (verdicts) Infof(string, ...any) {}

// Errorf hears of problems that pebble goes on with.
func (v verdicts) Errorf(format string, args ...any) {
	v.journal.options.Logger.Warn("journal", "problem", fmt.Sprintf(format, args...))
}

// damage hears of damaged files. Whoever reads them gets an error as well, so it is no reason to end anything here.
func (v verdicts) damage(info pebble.DataCorruptionInfo) { v.Errorf("%s", info) }

// background hears of what pebble tries again at once and for ever. Open does not wait for room on a full disk.
func (v verdicts) background(err error) {
	if errors.Is(err, syscall.ENOSPC) && !v.journal.opened.Load() {
		v.Fatalf("%w", err)
	}
	v.Errorf("%v", err)
}

// Fatalf hears of the end of pebble, which expects the end of the process. The journal stops instead, and the calling goroutine ends.
func (v verdicts) Fatalf(format string, args ...any) {
	_ = v.journal.stop(fmt.Errorf(format, args...))
	v.journal.breaker.Do(func() { close(v.journal.broken) })
	runtime.Goexit()
}
