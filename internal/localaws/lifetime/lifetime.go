package lifetime

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Lifetime is that of one service. It is safe for concurrent use.
type Lifetime struct {
	// Open ends when End begins, Uncut when End runs out of patience.
	Open, Uncut context.Context //nolint:containedctx // the service's own, no caller's

	name      string
	shut, cut context.CancelFunc
	mu        sync.Mutex // makes work grow only while Open lasts
	work      sync.WaitGroup
}

// New opens a lifetime. The name of the service appears in End's error.
func New(name string) *Lifetime {
	l := &Lifetime{name: name}
	l.Uncut, l.cut = context.WithCancel(context.Background()) //nolint:gosec // has nothing to release when End need not call it
	l.Open, l.shut = context.WithCancel(l.Uncut)
	return l
}

// Go does work on a goroutine that End waits for. Once End has begun, it only reports false.
func (l *Lifetime) Go(work func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Open.Err() != nil {
		return false
	}
	l.work.Go(work)
	return true
}

// Sleep waits for d, at most until End begins, and reports whether it has not begun.
func (l *Lifetime) Sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
	case <-l.Open.Done():
	}
	return l.Open.Err() == nil
}

// End lets no new work begin and returns when that in progress is done. When ctx ends first, the work is cut, and the error says so.
// It may be called again.
func (l *Lifetime) End(ctx context.Context) error {
	l.mu.Lock()
	l.shut()
	l.mu.Unlock()
	stop := context.AfterFunc(ctx, l.cut)
	l.work.Wait()
	if !stop() {
		return fmt.Errorf("%s: what was in progress was cut off: %w", l.name, context.Cause(ctx))
	}
	return nil
}
