package replay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

const (
	// endWait is the long poll that tells the end of the queue from a slow answer.
	endWait = time.Second
	// maxHeld bounds the letters held back at once: SQS allows 120,000 messages in
	// flight (Amazon SQS Developer Guide, "Message quotas"); others may need some.
	maxHeld = 100_000
	// marginShare is the part of an invocation's time that is kept back to put letters
	// back and report. Putting back takes a tenth of the calls of looking at a time.
	marginShare = 6
)

// run is the state of one invocation.
type run struct {
	*Replayer
	chooser

	request Request
	report  Report
	pace    *pace
	bill    bill
	// softEnd is when Request.Seconds are over; zero when there is no such time.
	softEnd time.Time
	// stopped says that what is in hand must wait for the next run.
	stopped bool
	// held are the receipts of the letters that this run has taken and not deleted, by
	// message id: should one come round again, only its latest receipt is good.
	held map[string]string
	// unsent are those of them that were meant and not sent, for lack of time.
	unsent []string
	// rests are the pack ids of the letters that this run has written itself.
	rests map[string]bool
}

func newRun(r *Replayer, request Request) *run {
	now := time.Now()
	if request.Run == "" {
		request.Run = newRunID()
	}
	if request.Started.IsZero() {
		request.Started = now.UTC()
	}
	this := &run{
		Replayer: r, request: request, pace: newPace(request.Rate), held: make(map[string]string), rests: make(map[string]bool),
		report: Report{DryRun: request.DryRun, Counts: []Count{}, Run: request.Run, Started: request.Started},
	}
	this.chooser = newChooser(&this.request)
	if request.Seconds > 0 {
		this.softEnd = now.Add(time.Duration(request.Seconds) * time.Second)
	}
	return this
}

// newRunID is what the audit lines of one run have in common.
func newRunID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	return hex.EncodeToString(id[:])
}

// pull looks at letters until there are no more of them, or no more is allowed. Only
// waiting ends early, a moment before ctx: letters that were taken are still moved.
func (r *run) pull(ctx context.Context) error {
	pulling, stop := untilMargin(ctx)
	defer stop()
	visibility := r.visibility(ctx)
	for !r.limited(0) && !r.stopped && !r.late() && len(r.held) < maxHeld && pulling.Err() == nil {
		// A receive is not given up at the margin: SQS would hide letters that nobody has.
		letters, err := r.Letters.Receive(ctx, queue.MaxEntries, endWait, visibility)
		if pulling.Err() != nil && err != nil {
			break // the deadline is an expected end, told by More
		}
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		r.bill.receive(letters)
		letters = r.hold(letters)
		if len(letters) == 0 {
			return nil // the end, or the run took so long that letters come round again
		}
		if err := r.look(ctx, pulling, letters); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
	}
	r.report.More = true
	_ = r.pace.settle(pulling) // the next run does not know of the debt; what no time is left for is forgiven
	return nil
}

// visibility hides letters for as long as the run may take and a while longer, so that
// nothing comes round again within it and the next run goes on behind them.
func (r *run) visibility(ctx context.Context) time.Duration {
	rest := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		rest = time.Until(deadline)
	}
	if soft := time.Until(r.softEnd); !r.softEnd.IsZero() && (rest == 0 || soft < rest) {
		rest = soft
	}
	return rest + r.request.hide()
}

func untilMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/marginShare))
}

// limited says whether the limit is reached when chosen letters more are replayed.
func (r *run) limited(chosen int) bool {
	return r.request.Limit > 0 && r.report.Replayed+chosen >= r.request.Limit
}

// late says whether the time that the caller gave is over.
func (r *run) late() bool { return !r.softEnd.IsZero() && !time.Now().Before(r.softEnd) }

// hold notes the receipts of letters and returns those that are seen for the first time.
func (r *run) hold(letters []queue.Received) []queue.Received {
	fresh := letters[:0]
	for _, letter := range letters {
		if _, seen := r.held[letter.ID]; !seen {
			fresh = append(fresh, letter)
		}
		r.held[letter.ID] = letter.Receipt
	}
	return fresh
}

// look sorts letters, and sends those that the request means. What is over the limit is
// not even looked at.
func (r *run) look(ctx, pulling context.Context, letters []queue.Received) error {
	var chosen []choice
	for i := range letters {
		if r.limited(len(chosen)) {
			break
		}
		if len(r.rests) > 0 && r.rests[packID(&letters[i])] {
			continue // this run has written it itself
		}
		r.report.Scanned++
		c, why := r.sort(pulling, &letters[i])
		if why != "" {
			r.report.leave(why, 1)
			continue
		}
		chosen = append(chosen, c)
	}
	if !r.request.DryRun {
		return r.sendPaced(ctx, pulling, chosen)
	}
	r.bill.send(chosen)
	for i := range chosen {
		r.report.add(&chosen[i])
	}
	return nil
}

// sort returns what to send of a letter, or why it stays.
func (r *run) sort(ctx context.Context, letter *queue.Received) (c choice, why string) {
	h, why := r.meant(letter)
	if why == "" && r.needsEvents(&h) {
		why = r.fetch(ctx, &h, letter)
	}
	if why != "" {
		return choice{}, why
	}
	return r.choose(&h, letter)
}

// packID is the id of the pack in a letter, empty when it is none.
func packID(letter *queue.Received) string {
	h, err := batch.ParseHeader(letter.Body)
	if err != nil {
		return ""
	}
	return h.ID
}
