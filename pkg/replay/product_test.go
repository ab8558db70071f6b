package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
	"github.com/millrace-dev/millrace/pkg/replay"
)

// TestReplayer_Run_Rate_IsKeptOverSlices: however the time is cut, the average holds.
func TestReplayer_Run_Rate_IsKeptOverSlices(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name            string
		letters, events int
		rate            float64
		seconds         int
	}{
		{"in one go", 60, 1, 5, 0},
		{"in slices", 60, 1, 5, 2},
		{"letters of more than a second's worth", 6, 10, 5, 1},
		{"slower than an event a second", 4, 1, 0.5, 1},
		{"as fast as it goes", 60, 1, 1e6, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for i := range row.letters {
					types := make([]string, row.events)
					for k := range types {
						types[k] = fmt.Sprintf("t.%d", k)
					}
					w.put(t, mixed(t, fmt.Sprintf("e%02d", i), types...))
				}
				start := time.Now()
				request := replay.Request{Rate: row.rate, Seconds: row.seconds}
				var sum replay.Report
				slices := 0
				for more := true; more; slices++ {
					before := sum.Replayed
					report := w.run(t, request)
					sum.Merge(report)
					if more = report.More; more && sum.Replayed == before {
						t.Fatalf("slice %d sent nothing: this would go on for ever", slices)
					}
					if most := row.rate*time.Since(start).Seconds() + float64(max(row.events, int(row.rate))); float64(sum.Events) > most {
						t.Fatalf("%d events after %v, want at most %v", sum.Events, time.Since(start), most)
					}
					request.Run, request.Started = report.Run, report.Started
				}
				took := time.Since(start).Seconds()
				want := float64(row.letters*row.events) / row.rate
				if sum.Replayed != row.letters || sum.Scanned != row.letters || took > want+float64(slices)+2 {
					t.Errorf("%d letters, %d looked at, in %.1fs; want %d each in about %.1fs", sum.Replayed, sum.Scanned, took, row.letters, want)
				}
				if row.seconds > 0 && row.rate < 100 && slices < 2 {
					t.Errorf("%d slices, want some", slices)
				}
				w.wantLetters(t, queue.Depth{})
				w.wantMain(t, row.letters)
			})
		})
	}
}

// TestReplayer_Run_Seconds_HidesWhatItLeft: slices with a limit go on behind each other
// and stop at the limit.
func TestReplayer_Run_Seconds_HidesWhatItLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		matching := w.many(t, 300)
		w.slow(t, 100*time.Millisecond)
		limit := matching - 10
		request := acme()
		request.Seconds, request.HideSeconds = 1, 30
		var sum replay.Report
		for slices := 0; sum.Replayed < limit; slices++ {
			request.Limit = limit - sum.Replayed
			report := w.run(t, request)
			sum.Merge(report)
			if !report.More || report.Scanned == 0 || slices > 10 {
				t.Fatalf("slice %d reports %+v, want it to get on", slices, report)
			}
			request.Run, request.Started = report.Run, report.Started
			depth, err := w.letters.Depth(t.Context())
			if sum.Replayed < limit && (err != nil || depth.InFlight != sum.Left["no match"]) {
				t.Errorf("dead letters are %+v, %v; want the %d that do not match hidden", depth, err, sum.Left["no match"])
			}
		}
		if sum.Replayed != limit {
			t.Errorf("%d letters replayed, want the limit %d", sum.Replayed, limit)
		}
		time.Sleep(32 * time.Second) // a second of run, thirty hidden
		w.wantLetters(t, queue.Depth{Visible: 300 - limit})
	})
}

// TestReplayer_Run_StillBroken_IsNoLoop: what comes back while the run goes on is left to
// the next one, in every slice.
func TestReplayer_Run_StillBroken_IsNoLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 40 {
			w.put(t, letter(t, fmt.Sprintf("e%02d", i), nil))
		}
		time.Sleep(time.Second)
		w.options.Queue = bouncing{t: t, letters: w.letters}
		first := w.run(t, replay.Request{})
		if first.Replayed != 40 || first.Left["came after the run began"] == 0 {
			t.Errorf("report is %+v, want 40 letters replayed once", first)
		}
		second := w.run(t, replay.Request{Run: first.Run, Started: first.Started})
		if second.Replayed != 0 || second.Left["came after the run began"] != 40 {
			t.Errorf("the same run goes on with %+v, want it to leave all", second)
		}
		time.Sleep(time.Second)
		w.options.Queue = w.main
		if next := w.run(t, replay.Request{}); next.Replayed != 40 {
			t.Errorf("the next run reports %+v, want 40 letters", next)
		}
		for _, p := range queuetest.Packs(t, w.main) {
			if p.Header.Generation != 2 {
				t.Errorf("pack %s has generation %d, want 2", p.Header.ID, p.Header.Generation)
			}
		}
	})
}

// bouncing is a main queue with a sink behind it that refuses everything a moment later.
type bouncing struct {
	t       *testing.T
	letters *queue.Queue
}

func (b bouncing) Send(ctx context.Context, messages ...queue.Outgoing) error {
	time.Sleep(10 * time.Millisecond)
	for _, m := range messages {
		events, err := batch.DecodeEvents(&m.Message.Header, m.Message.Events)
		if err != nil {
			b.t.Error(err)
		}
		meta := m.Message.Header.Meta()
		meta.Reason = &batch.Reason{Class: "transient", Stop: "attempts", Status: 503, First: noon, Last: noon}
		again, err := batch.Encode(meta, events)
		if err != nil {
			b.t.Error(err)
		}
		if err := b.letters.Send(ctx, queue.Outgoing{Message: again[0]}); err != nil {
			return err
		}
	}
	return nil
}

// itself invokes the replayer in the background, as Lambda does.
type itself struct {
	payloads [][]byte
	err      error
}

func (i *itself) Invoke(_ context.Context, payload []byte) error {
	if i.err != nil {
		return i.err
	}
	i.payloads = append(i.payloads, payload)
	return nil
}

// TestReplayer_Invoke_Continue_ReachesTheEnd: the chain of invocations replays everything
// once and leaves audit lines of one run.
func TestReplayer_Invoke_Continue_ReachesTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.many(t, 300)
		w.slow(t, 900*time.Millisecond)
		chain := &itself{}
		w.options.Self = chain
		var log bytes.Buffer
		w.options.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		replayer, err := replay.New(w.options)
		if err != nil {
			t.Fatal(err)
		}
		payload := []byte(`{"tenant":"acme","limit":190,"continue":true,"by":"kim@laptop"}`)
		runs := 0
		for ; payload != nil; runs++ {
			ctx, stop := context.WithTimeout(t.Context(), 6*time.Second)
			if _, err := replayer.Invoke(ctx, payload); err != nil {
				t.Fatal(err)
			}
			stop()
			payload = nil
			if len(chain.payloads) > runs {
				payload = chain.payloads[runs]
			}
		}
		if runs < 3 {
			t.Errorf("%d invocations, want a chain", runs)
		}
		w.wantMain(t, 190)
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != runs {
			t.Fatalf("%d audit lines of %d invocations", len(lines), runs)
		}
		_, id, _ := strings.Cut(lines[0], `"run":"`)
		for i, line := range lines {
			for _, want := range []string{`"run":"` + id[:16], fmt.Sprintf(`"continuation":%d,`, i), `"by":"kim@laptop"`, `"bytes":`} {
				if !strings.Contains(line, want) {
					t.Errorf("audit line %d is %s, want %s in it", i, line, want)
				}
			}
		}
		time.Sleep(6 * time.Minute)
		w.wantLetters(t, queue.Depth{Visible: 300 - 190})
	})
}

func TestReplayer_Run_Continue_WhenAndHowOften(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		request replay.Request
		self    *itself
		goesOn  bool
		err     string
	}{
		{"not asked to", replay.Request{Seconds: 1}, &itself{}, false, ""},
		{"asked to", replay.Request{Seconds: 1, Continue: true}, &itself{}, true, ""},
		{"the twelfth time", replay.Request{Seconds: 1, Continue: true, Continuation: 11}, &itself{}, true, ""},
		{"not a thirteenth time", replay.Request{Seconds: 1, Continue: true, Continuation: 12}, &itself{}, false, ""},
		{"complete", replay.Request{Continue: true}, &itself{}, false, ""},
		{"the limit is reached", replay.Request{Limit: 3, Continue: true}, &itself{}, false, ""},
		{"Lambda refuses", replay.Request{Seconds: 1, Continue: true}, &itself{err: errors.New("told to refuse")}, false, "go on: told to refuse"},
		{"it cannot", replay.Request{Seconds: 1, Continue: true}, nil, false, "cannot invoke itself"},
		{"a dry run", replay.Request{Continue: true, DryRun: true}, &itself{}, false, "a dry run"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.many(t, 60)
				w.slow(t, 400*time.Millisecond)
				if row.self != nil {
					w.options.Self = row.self
				}
				report, err := w.try(t, t.Context(), row.request)
				if (err == nil) != (row.err == "") || (err != nil && !strings.Contains(err.Error(), row.err)) {
					t.Errorf("error is %v, want %q", err, row.err)
				}
				if report.Continued != row.goesOn || (row.self != nil && len(row.self.payloads) == 1) != row.goesOn {
					t.Errorf("report is %+v, want it to go on: %v", report, row.goesOn)
				}
			})
		})
	}
}

// TestReplayer_Run_Estimate: the dry run says how large the packs are, what the run costs,
// and how long it takes.
func TestReplayer_Run_Estimate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		matching := w.many(t, 90) // 60 of them match
		request := acme()
		request.DryRun, request.Rate = true, 4
		dry := w.run(t, request)
		if dry.Estimate == nil || dry.Estimate.Seconds != float64(matching)/4 {
			t.Fatalf("estimate is %+v, want %d events at 4 a second", dry.Estimate, matching)
		}
		var calls atomic.Int64
		w.intercept = func(string) error { calls.Add(1); return nil }
		wet := w.run(t, acme())
		if wet.Estimate != nil {
			t.Errorf("a real run estimates %+v", wet.Estimate)
		}
		w.intercept = nil
		// Every call is below 64 KiB. Putting back happens by fewer letters per call at the end, and how many receives
		// bring nothing to send depends on the order, which is another one each time.
		if got, want := dry.Estimate.USD*1e6/0.40, float64(calls.Load()); got < want*0.75 || got > want*1.25 {
			t.Errorf("estimate counts %v requests, the run made %v", got, want)
		}
		request.Rate = 0
		if fast := w.run(t, request); fast.Estimate.Seconds <= 0 || fast.Estimate.Seconds > 5 {
			t.Errorf("without a rate it takes %v s", fast.Estimate.Seconds)
		}
		bytes := 0
		for _, p := range queuetest.Packs(t, w.main) {
			bytes += p.Header.Bytes
		}
		if dry.Bytes != wet.Bytes || wet.Bytes < bytes/2 {
			t.Errorf("dry run says %d bytes, the run %d, the events alone are %d", dry.Bytes, wet.Bytes, bytes)
		}
	})
}
