package replay

import (
	"context"
	"errors"
	"slices"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// sendPaced sends what was chosen, no faster than the rate. What no time is left for is
// remembered, to be put back for the next run. A run sends at least one letter, however
// slow its rate, so that runs in a row come to an end.
func (r *run) sendPaced(ctx, pulling context.Context, chosen []choice) error {
	for len(chosen) > 0 {
		noTime := r.pace.settle(pulling) != nil || (r.pace != nil && r.report.Replayed > 0 && r.late())
		if noTime {
			r.giveUp(chosen)
			return nil
		}
		n := r.pace.share(chosen)
		if err := r.send(ctx, chosen[:n]); err != nil {
			return err
		}
		for i := range n {
			r.pace.owe(chosen[i].count.Events)
		}
		chosen = chosen[n:]
	}
	return nil
}

// giveUp leaves letters to the next run, as if they had not been looked at.
func (r *run) giveUp(chosen []choice) {
	r.stopped = true
	r.report.Scanned -= len(chosen)
	for i := range chosen {
		r.unsent = append(r.unsent, chosen[i].id)
	}
}

// send puts packs on the main queue, then the rests of letters that were cut back on the
// dead letters, and deletes the letters of which both arrived. The others are held, to be
// found again by the next run.
//
// The packs go first: one that is sent twice has the same id, and whoever dedups drops it,
// while a rest that is written twice would be counted twice by everybody who looks.
//
// A letter that cannot be deleted stays hidden until its visibility ends, as nobody
// knows which of them SQS has deleted; replayed again it becomes the same pack.
func (r *run) send(ctx context.Context, chosen []choice) error {
	mainErr := put(ctx, r.Queue, chosen, func(c *choice) []batch.Message { return c.send })
	arrived := mainErr.without(chosen)
	for i := range arrived {
		for k := range arrived[i].rest {
			r.rests[arrived[i].rest[k].Header.ID] = true
		}
	}
	restErr := put(ctx, r.Letters, arrived, func(c *choice) []batch.Message { return c.rest })
	var receipts []string
	for _, c := range restErr.without(arrived) {
		r.report.add(&c)
		receipts = append(receipts, r.held[c.id])
		delete(r.held, c.id)
	}
	return errors.Join(mainErr.err, restErr.err, r.Letters.Delete(ctx, receipts...))
}

// unconfirmed are the choices of which not every message is known to be on a queue.
type unconfirmed struct {
	choices map[int]bool
	err     error
}

// put puts messages of each choice on a queue.
func put(ctx context.Context, to Sender, chosen []choice, messages func(*choice) []batch.Message) unconfirmed {
	var out []queue.Outgoing
	var owners []int
	for i := range chosen {
		for _, m := range messages(&chosen[i]) {
			out = append(out, queue.Outgoing{Message: m})
			owners = append(owners, i)
		}
	}
	if len(out) == 0 {
		return unconfirmed{}
	}
	failed := unconfirmed{choices: make(map[int]bool), err: to.Send(ctx, out...)}
	for i, owner := range owners {
		if lost(failed.err, i) {
			failed.choices[owner] = true
		}
	}
	return failed
}

func (u unconfirmed) without(chosen []choice) []choice {
	var confirmed []choice
	for i := range chosen {
		if !u.choices[i] {
			confirmed = append(confirmed, chosen[i])
		}
	}
	return confirmed
}

// lost says whether the i-th message is not known to be on the queue.
func lost(err error, i int) bool {
	failure, ok := errors.AsType[*queue.SendError](err)
	if !ok {
		return err != nil
	}
	return slices.Contains(failure.Failed, i)
}
