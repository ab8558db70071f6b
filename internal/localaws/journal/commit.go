package journal

import (
	"fmt"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
)

// Ticket stands for submitted changes on their way to disk. A nil ticket is done.
type Ticket struct {
	done   chan struct{}
	err    error
	batch  *pebble.Batch
	urgent bool
}

func newTicket() *Ticket { return &Ticket{done: make(chan struct{})} }

// failed returns a ticket of a change that will never be on disk.
func failed(err error) *Ticket {
	t := newTicket()
	t.finish(err)
	return t
}

func (t *Ticket) finish(err error) {
	t.err = err
	close(t.done)
}

// Wait returns when the changes are on disk, or an ErrStopped when they will never be.
func (t *Ticket) Wait() error {
	if t == nil {
		return nil
	}
	<-t.done
	return t.err
}

// run commits until Close.
func (j *Journal) run() {
	defer close(j.done)
	for range j.wake {
		j.commitPending()
	}
	j.commitPending()
}

// commitPending commits what has been submitted by now. What is submitted meanwhile waits for the next one.
func (j *Journal) commitPending() {
	j.mu.Lock()
	t := j.pending
	if t.batch == nil || j.stopped != nil {
		j.mu.Unlock()
		return
	}
	j.pending = newTicket()
	j.mu.Unlock()

	finished := false
	defer func() {
		if !finished { // pebble has ended this goroutine
			t.finish(j.Err())
		}
	}()
	err := j.commit(t)
	if err != nil {
		err = j.stop(err)
	}
	finished = true
	t.finish(err)
}

func (j *Journal) commit(t *Ticket) error {
	defer func() { t.batch = nil }()
	if !t.urgent {
		if err := j.db.Apply(t.batch, pebble.NoSync); err != nil {
			return fmt.Errorf("journal commit: %w", err)
		}
		return t.batch.Close()
	}
	// Not Apply with Sync: it takes a failed sync for a reason to end the process.
	if err := j.db.ApplyNoSyncWait(t.batch, pebble.Sync); err != nil {
		return fmt.Errorf("journal commit: %w", err)
	}
	if err := t.batch.SyncWait(); err != nil {
		return fmt.Errorf("journal sync: %w", err)
	}
	return t.batch.Close()
}

// stop makes everything fail from now on and returns the reason; the first one stays.
func (j *Journal) stop(cause error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stopped == nil {
		j.stopped = fmt.Errorf("%w: data directory %s: %w; make room there and start again", ErrStopped, j.options.Dir, cause)
		j.options.Logger.Error("journal stopped", "error", j.stopped)
		j.pending.finish(j.stopped)
		j.pending = newTicket()
	}
	return j.stopped
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
func (v verdicts) damage(info pebble.DataCorruptionInfo) {
	v.journal.options.Logger.Error("journal", "problem", info.String())
}

// Fatalf hears of the end of pebble, which expects the end of the process. The journal stops instead, and the calling goroutine ends.
func (v verdicts) Fatalf(format string, args ...any) {
	v.journal.mu.Lock()
	v.journal.broken = true
	v.journal.mu.Unlock()
	_ = v.journal.stop(fmt.Errorf(format, args...))
	runtime.Goexit()
}
