package flush

import (
	"context"
	"net/http"
	"slices"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

// maxForks is how often the search for a poison event may find both halves refused. One
// event alone never forks it, two do at most once. A batch whose every event is refused
// costs seven requests until that is plain, whatever its size.
const maxForks = 1

// poisoned says whether the sink refused a batch as a whole for what is in it, so that a
// single event may be to blame. Results per item that happen to be alike look the same:
// they cost the requests of a search.
func poisoned(outcomes []sink.Outcome) bool {
	return len(outcomes) > 1 && refusedContent(outcomes)
}

func refusedContent(outcomes []sink.Outcome) bool {
	o := outcomes[0]
	return o.Verdict == sink.Rejected && o.Class == retry.Permanent &&
		(o.Status == http.StatusBadRequest || o.Status == http.StatusUnprocessableEntity) &&
		!slices.ContainsFunc(outcomes, func(other sink.Outcome) bool { return other != o })
}

// search sends both halves of a batch that may hold a poison event: 2*log2(n) requests
// find one among n. Where the sink refuses both halves too often, the fault is in all of
// them, and each part is concluded as it was refused.
func (c courier) search(ctx context.Context, b batch.Batch) (fits bool) {
	one, two, _ := b.Halves() // a poisoned batch has two events at least
	first, second := c.attempt(ctx, one), c.attempt(ctx, two)
	if refusedContent(first) && refusedContent(second) {
		c.forks++
	}
	oneFits, twoFits := c.carryOn(ctx, one, first), c.carryOn(ctx, two, second)
	return oneFits && twoFits
}
