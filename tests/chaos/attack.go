package chaos

import (
	"bytes"
	"context"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// strikes of one episode of those faults that act, instead of waiting for a call to hit.
const strikes = 4

// attack carries out an episode.
func (w *world) attack(ctx context.Context, e Episode, r *rand.Rand) {
	if e.Fault == ClockJump {
		defer w.clocks.right()
	}
	for range strikes {
		w.strike(ctx, e, r)
		if !until(ctx, time.Now().Add(e.For/strikes)) || w.weather.isCalm() {
			return
		}
	}
}

func (w *world) strike(ctx context.Context, e Episode, r *rand.Rand) {
	switch e.Fault {
	case KillIngest:
		w.kill(devstack.Ingest, KillIngest)
	case KillFlush:
		w.kill(devstack.Flush, KillFlush)
	case KillReplay:
		w.killReplay(ctx, time.Duration(r.Float64()*float64(e.For)/3)) //nolint:mnd // while it is at work
	case FreezeFlush:
		w.freeze()
	case Redeliver:
		w.redeliver(r)
	case Reorder:
		w.reorder(r)
	case ClockJump:
		w.weather.hit(ClockJump, w.clocks.jump(r))
	case Replay:
		w.hit(Replay)
		_, _ = w.invoke(ctx, devstack.Replay, `{}`)
	case Drain:
		w.hit(Drain)
		w.drainOnce(ctx)
	default: // strikes calls
	}
}

func (w *world) hit(f Fault) { w.weather.hit(f, 1) }

func (w *world) kill(function string, f Fault) {
	w.weather.hit(f, w.server.Lambda().Kill(devstack.FunctionName(function)))
}

// killReplay starts a replay and kills it after a while.
func (w *world) killReplay(ctx context.Context, after time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = w.invoke(ctx, devstack.Replay, `{}`)
	}()
	select {
	case <-time.After(after):
		killed := w.server.Lambda().Kill(devstack.FunctionName(devstack.Replay))
		w.weather.hit(KillReplay, killed)
		w.weather.risked(riskReplay, killed)
		<-done
	case <-done:
	}
}

// freeze stops the flush processes at work. The next invocation of one that is idle times out, too.
func (w *world) freeze() {
	for _, pid := range w.server.Lambda().PIDs(devstack.FunctionName(devstack.Flush)) {
		if syscall.Kill(-pid, syscall.SIGSTOP) == nil {
			w.hit(FreezeFlush)
		}
	}
}

// redeliver makes some of the messages in flight visible.
func (w *world) redeliver(r *rand.Rand) {
	n := w.disturb(devstack.MainQueue, func(held sqs.Held) (time.Duration, bool) {
		return 0, held == sqs.HeldInFlight && r.IntN(2) == 0
	})
	w.weather.hit(Redeliver, n)
	w.weather.risked(riskSeen, n)
}

// reorder holds some visible messages back and lets some in flight come back late, if they come back.
func (w *world) reorder(r *rand.Rand) {
	const longest = 1500 * time.Millisecond
	n := w.disturb(devstack.MainQueue, func(held sqs.Held) (time.Duration, bool) {
		late := time.Duration(r.Float64() * float64(longest))
		switch held {
		case sqs.HeldVisible:
			return late, r.IntN(2) == 0
		case sqs.HeldInFlight:
			return visibility + late, true
		case sqs.HeldDelayed:
		}
		return 0, false
	})
	w.weather.hit(Reorder, n)
}

func (w *world) disturb(queue string, pick func(sqs.Held) (time.Duration, bool)) int {
	n, _ := w.server.SQS().Disturb(queue, pick) // fails only without the queue
	return n
}

// invoke starts a function with a payload and returns its reply.
func (w *world) invoke(ctx context.Context, function, payload string) (lambda.Result, error) {
	return w.server.Lambda().Invoke(ctx, devstack.FunctionName(function), []byte(payload), lambda.InvokeOptions{})
}

// drainOnce starts the flush as a schedule does.
func (w *world) drainOnce(ctx context.Context) {
	result, err := w.invoke(ctx, devstack.Flush, `{"drain":true}`)
	if err != nil || !result.Failed() {
		return
	}
	ownError := bytes.Contains(result.Payload, []byte("drain: ")) // of a receive, or a delete that failed
	if !ownError || bytes.Contains(result.Payload, []byte("deadline exceeded")) {
		w.weather.risked(riskDrain, 1)
	}
}

// schedule drains again and again, until ctx ends.
func (w *world) schedule(ctx context.Context) {
	const pause = 200 * time.Millisecond
	for until(ctx, time.Now().Add(pause)) {
		w.drainOnce(context.WithoutCancel(ctx))
	}
}
