package flush

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// Mode says what a sink's failure may cost.
type Mode uint8

const (
	// Required sinks get every event: it is delivered, or waits on the queue, or becomes a dead letter.
	Required Mode = iota
	// FailOpen sinks are served with best effort. What the sink does not take within the policy's waits
	// inside the function is dropped, counted and warned about. It never delays a
	// required sink.
	FailOpen
)

// Target is a sink with the way it is treated.
type Target struct {
	// Sink is required.
	Sink sink.Sink
	// Policy says how it is tried again.
	Policy retry.Policy
	// Mode says what its failure may cost.
	Mode Mode
	// Gate says how it is protected.
	Gate gate.Options
	// Budget bounds the share of retries in its traffic; over it, events wait on the queue
	// instead of in the function.
	Budget retry.BudgetOptions
	// Discard decides which dead letters are not worth keeping; nil keeps all. It is given
	// the letter's class and the sink's status.
	Discard func(class retry.Class, status int) bool
}

// target is a Target with what is learned about it in this environment.
type target struct {
	Target
	gate   *gate.Gate
	budget *retry.Budget
	drops  episode
	size   batch.Learned
}

// limits are the sink's own, tightened by what its refusals have taught.
func (t *target) limits() batch.Limits { return t.size.Apply(t.Sink.Limits()) }

func newTarget(name string, t Target, logger *slog.Logger) (*target, error) {
	budget, err := retry.NewBudget(t.Budget)
	if err != nil {
		return nil, err
	}
	o := t.Gate
	o.OnChange = func(from, to gate.State) {
		logger.Warn("sink changed state", "sink", name, "from", from, "to", to)
	}
	return &target{Target: t, gate: gate.New(o), budget: budget}, nil
}

// patience is how long the sink may keep others waiting: as long as may be waited inside
// the function, or, where it is known to be slower, twice its usual answer.
func (t *target) patience() time.Duration {
	return max(t.Policy.WithDefaults().MaxInlineWait, fairTime, 2*t.gate.Usual())
}

// halved notes that the sink took two halves of what was too large together.
func (t *target) halved(one, two *batch.Batch) {
	limits := t.Sink.Limits()
	t.size.Halved(max(limits.Bytes(one), limits.Bytes(two)))
}

// explainTooLarge names the size of a single event that the sink calls too large, and
// the limit that is known here. The cause is the sink's own word, which may name its.
func (t *target) explainTooLarge(b *batch.Batch, cause string) string {
	limits := t.limits()
	text := fmt.Sprintf("the event alone has %d bytes", limits.Bytes(b))
	if limits.MaxBytes > 0 {
		text += fmt.Sprintf(", a batch at most %d", limits.MaxBytes)
	}
	return text + ": " + cause
}

// taken notes that the sink took a batch. Measuring it is only worth while when there
// is a bound to be loosened.
func (t *target) taken(b *batch.Batch) {
	if t.size.Bound() > 0 {
		limits := t.Sink.Limits()
		t.size.Taken(limits.Bytes(b))
	}
}

// episode warns once when drops begin, and again for each further repeat of them,
// until a delivery ends the episode.
type episode struct {
	mu    sync.Mutex
	drops int
}

// repeatWarning is after how many drops of one episode the warning is repeated.
const repeatWarning = 256

// dropped counts drops and says whether to warn.
func (e *episode) dropped(n int) (total int, warn bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.drops
	e.drops += n
	return e.drops, before == 0 || before/repeatWarning != e.drops/repeatWarning
}

// over ends the episode.
func (e *episode) over() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drops = 0
}
