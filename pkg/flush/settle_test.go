package flush_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// mute is a queue that never answers.
type mute struct{}

func (mute) Send(ctx context.Context, _ ...queue.Outgoing) error {
	<-ctx.Done()
	return ctx.Err()
}

// A queue that hangs while letters are written costs the messages of those letters, and not
// the whole invocation: AWS would kill it at its deadline, with everything that was delivered
// unacknowledged.
func TestFlush_LettersHang_TheRestIsAcknowledgedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: []step{refuses("e000")}}
		b := shared(t, `{}`, memory.New(time.Now), flush.Target{Sink: s}, nil)
		b.flusher.DeadLetters = mute{}
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		began := time.Now()
		back := b.flusher.Flush(ctx, []queue.Received{message(t, "1", meta(), orders(1)), message(t, "2", meta(), orders(2)[1:])})
		if !slices.Equal(back, []int{0}) {
			t.Errorf("messages %v come back, want the first only: its letter is not written", back)
		}
		if took := time.Since(began); took > 9*time.Second {
			t.Errorf("took %v of its 10s, want a second left to answer", took)
		}
	})
}
