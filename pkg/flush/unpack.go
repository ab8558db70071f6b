package flush

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// unpack decodes the messages. One that is no readable pack is parked with the reason,
// so that it never comes back to crash or stall the next flush; one that a newer
// Millrace wrote, or whose events the bucket does not give now, goes back for another flush.
func (r *run) unpack(ctx context.Context) {
	large := r.fetch(ctx)
	r.packs = make([]pack, 0, len(r.messages))
	for i := range r.messages {
		m := &r.messages[i]
		p, err := decode(m, large[i])
		switch {
		case err == nil:
			r.packs = append(r.packs, pack{Pack: p, message: i})
		case errors.Is(err, batch.ErrCorrupt), errors.Is(err, batch.ErrNotPack):
			r.park(i, err)
		default:
			r.comeBack(i, troublePause)
			r.Logger.Warn("pack left on the queue", "message", m.ID, "cause", err)
		}
	}
}

func decode(m *queue.Received, large *fetched) (batch.Pack, error) {
	switch {
	case large == nil:
		return batch.Decode(m.Body, m.Events)
	case large.err != nil:
		return batch.Pack{}, large.err
	}
	return batch.Decode(m.Body, large.events)
}

// park makes a dead letter of a message that cannot be read.
func (r *run) park(i int, why error) {
	m := &r.messages[i]
	dead, err := r.unreadable(m, why)
	if err != nil {
		r.comeBack(i, troublePause)
		r.Logger.Error("unreadable message left on the queue", "message", m.ID, "cause", err)
		return
	}
	dead.message = i
	r.parked = append(r.parked, dead)
	r.Logger.Warn("unreadable message parked as a dead letter", "message", m.ID, "cause", why)
}

func (r *run) unreadable(m *queue.Received, why error) (dead parcel, err error) {
	h, notReadable := batch.ParseHeader(m.Body)
	if notReadable != nil || h.Claim == "" {
		dead.out.Message, err = deadletter.Unreadable(m, why, r.now)
		return dead, err
	}
	// The header is sound, so it is known what is missing. A pack for one sink is in that
	// sink's books.
	if h.Sink != "" {
		dead.counter, dead.class = ledger.DeadLettered, string(retry.Permanent)
		dead.enters = firstTime(&h)
	}
	dead.out.Message, err = deadletter.Missing(h, why, r.now)
	return dead, err
}
