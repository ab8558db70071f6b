package gate

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func classes(t *rapid.T) retry.Class {
	return rapid.SampledFrom([]retry.Class{
		"", retry.Transient, retry.Throttled, retry.Setup, retry.Cancelled, retry.Permanent,
	}).Draw(t, "class")
}

// Whatever was seen, and whatever others wrote: a sink that is well from now on is asked again
// within the usual time and that for the probes of others, even if each of them is
// claimed by somebody who never answers; and never is there more than one probe.
func TestBreaker_Property_AHealthySinkIsAskedAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_800_000_000, 0)
		b := breaker{state: Closed, failuresToOpen: rapid.IntRange(1, 4).Draw(t, "failures"), openFor: time.Duration(rapid.IntRange(1, 600).Draw(t, "open for")) * time.Second}
		var running []pass
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "later")) * time.Second)
			running = step(t, &b, running, now)
			if b.state != Closed && b.until.Sub(now) > b.openFor {
				t.Fatalf("%s for %v, want %v at most", b.state, b.until.Sub(now), b.openFor)
			}
		}
		for _, p := range running {
			b.hear(p, Verdict{Class: retry.Cancelled}, now)
		}
		most := now.Add(b.openFor + respect + b.pause())
		for {
			p, shut := b.admit(now)
			if shut == nil && !p.ask {
				return // the probe is ours, or none is needed
			}
			if shut == nil {
				shut = b.yield(p, now)
			}
			if now = now.Add(shut.After); now.After(most.Add(b.pause())) {
				t.Fatalf("%s, nobody may ask until %v", b.state, now)
			}
		}
	})
}

// step lets one thing happen, and returns the attempts that are under way.
func step(t *rapid.T, b *breaker, running []pass, now time.Time) []pass {
	switch rapid.SampledFrom([]string{"begin", "end", "opened elsewhere", "closed elsewhere"}).Draw(t, "step") {
	case "begin":
		p, shut := b.admit(now)
		if shut != nil && (shut.After <= 0 || shut.After > max(b.openFor, b.pause())) {
			t.Fatalf("shut for %v", shut.After)
		}
		if shut == nil && b.state == HalfOpen && !b.probing {
			t.Fatal("half-open, and an attempt that is no probe was let through")
		}
		if shut == nil {
			running = append(running, p)
		}
	case "end":
		if len(running) > 0 {
			b.hear(running[0], Verdict{Class: classes(t)}, now)
			running = running[1:]
		}
	case "opened elsewhere":
		until := now.Add(time.Duration(rapid.Int64Range(-1e13, 1e15).Draw(t, "until")))
		b.adopt(Standing{State: Open, Until: until, Class: retry.Transient}, now)
	case "closed elsewhere":
		b.adopt(Standing{State: Closed}, now)
	}
	return running
}

func TestBreaker_AttemptOfAnEarlierEra_SaysNothing(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	b := breaker{state: Closed, failuresToOpen: 1, openFor: time.Minute}
	late, _ := b.admit(now)
	b.adopt(Standing{State: Open, Until: now.Add(time.Minute), Class: retry.Transient}, now)
	b.hear(late, Verdict{}, now)
	if b.state != Open {
		t.Errorf("an attempt from before the note made it %s", b.state)
	}
	b.adopt(Standing{State: Closed}, now)
	b.hear(late, Verdict{Class: retry.Setup}, now)
	if b.state != Closed {
		t.Errorf("an attempt of two eras ago made it %s", b.state)
	}
}

func TestBreaker_OwnProbe_IsNotGivenUpForANote(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	b := breaker{state: Closed, failuresToOpen: 1, openFor: time.Minute}
	b.adopt(Standing{State: Open, Until: now, Class: retry.Transient}, now)
	probe, shut := b.admit(now)
	if shut != nil {
		t.Fatal(shut)
	}
	b.adopt(Standing{State: Open, Until: now.Add(time.Minute), Class: retry.Transient}, now)
	b.hear(probe, Verdict{}, now)
	if _, news := b.standing(now); b.state != Closed || !news {
		t.Errorf("%s, news %v; want what the probe found out, and to tell it", b.state, news)
	}
}
