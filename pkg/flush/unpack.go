package flush

import (
	"errors"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
)

// unpack decodes the messages. One that is no readable pack is parked with the reason,
// so that it never comes back to crash or stall the next flush; one that a newer
// Millrace wrote goes back for a newer flush.
func (r *run) unpack() {
	r.packs = make([]pack, 0, len(r.messages))
	for i := range r.messages {
		m := &r.messages[i]
		p, err := batch.Decode(m.Body, m.Events)
		switch {
		case err == nil:
			r.packs = append(r.packs, pack{Pack: p, message: i})
		case errors.Is(err, batch.ErrNewerVersion):
			r.back[i] = true
			r.Logger.Warn("pack left on the queue", "message", m.ID, "cause", err)
		default:
			r.park(i, err)
		}
	}
}

func (r *run) park(i int, why error) {
	m := &r.messages[i]
	letter, err := deadletter.Unreadable(m, why, r.now)
	if err != nil {
		r.back[i] = true
		r.Logger.Error("unreadable message left on the queue", "message", m.ID, "cause", err)
		return
	}
	r.parked = append(r.parked, parked{letter: letter, message: i})
	r.Logger.Warn("unreadable message parked as a dead letter", "message", m.ID, "cause", why)
}
