package batch

import "sync"

// Learned is what a destination has taught about the size of a batch it takes, beyond
// what its Limits promise. The zero value has learned nothing. It is safe for
// concurrent use.
//
// A refusal alone teaches nothing: a single event may be to blame. Only when a batch
// was refused and both its halves were taken is the size at fault.
type Learned struct {
	mu    sync.Mutex
	bytes int // 0 means no bound
	good  int // batches taken near the bound since it last changed
}

const (
	// goodToGrow is how many batches must be taken near the bound before it grows.
	goodToGrow = 20
	// growth is the share by which it grows.
	growth = 8
)

// Apply tightens limits by what was learned.
func (l *Learned) Apply(limits Limits) Limits {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes > 0 && (limits.MaxBytes == 0 || l.bytes < limits.MaxBytes) {
		limits.MaxBytes = l.bytes
	}
	return limits
}

// Bound is the size learned, 0 when nothing was.
func (l *Learned) Bound() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// Halved notes that a batch was refused as too large and its halves were taken: bytes
// is the size of the larger half.
func (l *Learned) Halved(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes == 0 || bytes < l.bytes {
		l.bytes = max(bytes, 1)
	}
	l.good = 0
}

// Taken notes that a batch was taken. After some that were near the bound it grows by
// an eighth, because the destination may have been repaired.
func (l *Learned) Taken(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes == 0 || bytes < l.bytes/2 {
		return
	}
	if l.good++; l.good >= goodToGrow {
		l.bytes += l.bytes/growth + 1
		l.good = 0
	}
}

// Bytes is the size of a batch as the limits measure it.
func (l *Limits) Bytes(b *Batch) int {
	n := 0
	for i := range b.Events {
		n += l.size(&b.Events[i])
	}
	return n
}
