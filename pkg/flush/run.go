package flush

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// run is the state of one invocation. Only settled, under mu, and requests are written
// concurrently.
type run struct {
	*Flusher
	now      time.Time
	messages []queue.Received
	packs    []pack
	parked   []parcel              // messages that are dead letters as a whole
	back     map[int]time.Duration // messages that must come back, by index, and after what time

	units   []dedup.Unit // every event with each of its sinks
	sources []origin     // where each unit came from
	plan    *dedup.Plan  // what to do with each unit

	mu      sync.Mutex
	settled map[fate][]origin // what no sink has taken, by what happens to it

	requests atomic.Int64 // made to sinks
}

// pack is a decoded message.
type pack struct {
	batch.Pack
	message int // index into run.messages
}

func newRun(f *Flusher, messages []queue.Received) *run {
	return &run{
		Flusher: f, now: time.Now(), messages: messages,
		back: make(map[int]time.Duration), settled: make(map[fate][]origin),
	}
}

// ended counts an event that ends without a delivery, and tells of it.
func (r *run) ended(how ledger.Counter, sinkName string, class retry.Class, from origin) {
	r.count(how, sinkName, string(class), 1)
	if r.Ended != nil {
		r.Ended(how, sinkName, &r.packs[from.pack].Events[from.event])
	}
}

func (r *run) count(c ledger.Counter, sinkName, class string, n int) {
	r.Ledger.Add(ledger.Key{Counter: c, Sink: sinkName, Class: class}, n)
}
