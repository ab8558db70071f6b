package gate

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/retry"
)

const openFor = 30 * time.Second

// environment is a warm flush environment with a gate before one sink.
type environment struct {
	*Gate
	board   *Board
	log     *bytes.Buffer
	changes []State
}

func newEnvironment(notes Notes) *environment {
	e := &environment{log: &bytes.Buffer{}}
	e.board = NewBoard(notes, slog.New(slog.NewTextHandler(e.log, nil)))
	e.Gate = New(Options{
		Name: "http", Board: e.board, FailuresToOpen: 3, OpenFor: openFor,
		OnChange: func(_, to State) { e.changes = append(e.changes, to) },
	})
	return e
}

// flush is what an invocation does: it looks at the board and makes one attempt.
func (e *environment) flush(t *testing.T, class retry.Class) (made bool, shut *ShutError) {
	t.Helper()
	e.board.Look(t.Context())
	return try(t, e.Gate, class)
}

func (e *environment) fail(t *testing.T, times int, class retry.Class) {
	t.Helper()
	for range times {
		e.flush(t, class)
	}
}

// count counts calls, and does instead of them what it is told.
type count struct {
	*memory.Store
	reads, writes, adds atomic.Int64
	instead             func(ctx context.Context) error
}

func newCount() *count { return &count{Store: memory.New(nil)} }

func (c *count) trouble(ctx context.Context) error {
	if c.instead == nil {
		return nil
	}
	return c.instead(ctx)
}

func (c *count) ReadNotes(ctx context.Context, names ...string) (map[string][]byte, error) {
	c.reads.Add(1)
	if err := c.trouble(ctx); err != nil {
		return nil, err
	}
	return c.Store.ReadNotes(ctx, names...)
}

func (c *count) WriteNote(ctx context.Context, name string, text []byte, keep time.Duration) error {
	c.writes.Add(1)
	if err := c.trouble(ctx); err != nil {
		return err
	}
	return c.Store.WriteNote(ctx, name, text, keep)
}

func (c *count) AddNote(ctx context.Context, name string, text []byte, keep time.Duration) (bool, error) {
	c.adds.Add(1)
	if err := c.trouble(ctx); err != nil {
		return false, err
	}
	return c.Store.AddNote(ctx, name, text, keep)
}

func (c *count) calls() [3]int64 { return [3]int64{c.reads.Load(), c.writes.Load(), c.adds.Load()} }

func TestBoard_OneEnvironmentOpens_AllLeaveTheSinkAloneUntilOneProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(nil)
		a, b := newEnvironment(store), newEnvironment(store)
		b.flush(t, "")
		a.fail(t, 3, retry.Throttled)
		time.Sleep(lookEvery)
		made, shut := b.flush(t, "")
		if made || shut.After != openFor-lookEvery || shut.Class != retry.Throttled || !strings.Contains(shut.Cause, "because throttled") {
			t.Fatalf("the other environment sent %v, refused with %+v; want it to wait out the rest for the same reason", made, shut)
		}
		time.Sleep(openFor)
		release := make(chan struct{})
		go func() {
			_ = b.Attempt(context.Background(), 1, 0, func() Verdict { <-release; return Verdict{} })
		}()
		synctest.Wait() // b probes
		if made, shut := a.flush(t, ""); made || shut.After != openFor/10 {
			t.Errorf("beside a probe of the other: sent %v, refused with %+v", made, shut)
		}
		close(release)
		synctest.Wait()
		time.Sleep(lookEvery)
		if made, _ := a.flush(t, ""); !made {
			t.Error("five seconds after the good probe of the other the sink is still left alone")
		}
		if want := []State{Open, HalfOpen, Closed}; !slices.Equal(a.changes, want) || !slices.Equal(b.changes, want) {
			t.Errorf("states %v and %v, want %v of both", a.changes, b.changes, want)
		}
	})
}

func TestBoard_ProbeFails_AllWaitAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(nil)
		a, b := newEnvironment(store), newEnvironment(store)
		a.fail(t, 1, retry.Setup)
		b.flush(t, "")
		time.Sleep(openFor)
		if made, _ := a.flush(t, retry.Setup); !made {
			t.Fatal("no probe was made")
		}
		if made, shut := b.flush(t, ""); made || shut.After != openFor || shut.Class != retry.Setup {
			t.Errorf("after the failed probe of the other: sent %v, refused with %+v; want another %v", made, shut, openFor)
		}
	})
}

// Ten environments, each flushing once a second, while the sink is down for ten minutes. By
// themselves each would find out, and probe every thirty seconds: 230 requests.
func TestBoard_Fleet_ProbesAsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newCount()
		fleet := make([]*environment, 10)
		for i := range fleet {
			fleet[i] = newEnvironment(store)
		}
		// round lets each flush once and returns how many asked the sink.
		round := func(class retry.Class) (requests int) {
			for _, e := range fleet {
				if made, _ := e.flush(t, class); made {
					requests++
				}
				time.Sleep(time.Second / time.Duration(len(fleet)))
			}
			return requests
		}
		const down = 10 * time.Minute
		requests := 0
		for range down / time.Second {
			requests += round(retry.Transient)
		}
		// Every environment may have found out by itself before it looked again, but then one probes.
		if most := 3*len(fleet) + int(down/openFor); requests > most {
			t.Errorf("%d requests to a sink that is down for %v, want %d at most", requests, down, most)
		}
		t.Logf("%d requests; reads, writes, claims of probes: %v", requests, store.calls())
		waited := 0
		for round("") < len(fleet) {
			if waited++; waited > int((openFor+2*lookEvery)/time.Second) {
				t.Fatalf("%d seconds after the sink is well not all send", waited)
			}
		}
	})
}

func TestBoard_StoreInTrouble_EachEnvironmentKnowsWhatItSees(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		instead func(context.Context) error
		took    time.Duration
	}{
		{"it refuses", func(context.Context) error { return errors.New("throttled") }, 0},
		{"it hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, patience},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := newCount()
				store.instead = tt.instead
				a := newEnvironment(store)
				start := time.Now()
				for range 2 * openFor / time.Second {
					a.flush(t, retry.Transient)
					time.Sleep(time.Second)
				}
				if want := []State{Open, HalfOpen, Open}; !slices.Equal(a.changes, want) {
					t.Errorf("states %v, want %v as without a store", a.changes, want)
				}
				// Once at the start, and once when the store is called again.
				if held := time.Since(start) - 2*openFor; held != 2*tt.took {
					t.Errorf("flushes of a minute were held up for %v, want %v", held, 2*tt.took)
				}
				if got := strings.Count(a.log.String(), "level=WARN"); got != 1 {
					t.Errorf("%d warnings, want one for the episode:\n%s", got, a.log)
				}
				store.instead = nil
				time.Sleep(awayPause)
				a.flush(t, "")
				if !strings.Contains(a.log.String(), "is back") {
					t.Errorf("nobody said that the store is back:\n%s", a.log)
				}
			})
		})
	}
}

func TestBoard_StoreIsAway_ProbeIsMadeAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newCount()
		a := newEnvironment(store)
		a.fail(t, 3, retry.Transient)
		time.Sleep(openFor)
		store.instead = func(context.Context) error { return errors.New("away") }
		if made, _ := try(t, a.Gate, ""); !made || store.adds.Load() != 1 {
			t.Errorf("probe made %v after %d questions whose turn it is, want true and 1", made, store.adds.Load())
		}
	})
}

// Clocks that are wrong, notes that are old: what they can do at most.
func TestBoard_NoteOfAWrongClock_ShutsForTheUsualTimeAtMost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		off  time.Duration
		want time.Duration // from the first look until a probe
	}{
		{"an hour ahead", time.Hour, openFor},
		{"a minute behind, so that it is over", -time.Minute, 0},
		{"the end of time", 1 << 62, openFor},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := memory.New(nil)
				pin(t, store, Standing{State: Open, Until: time.Now().Add(tt.off), Class: retry.Transient, By: "other"})
				e := newEnvironment(store)
				start := time.Now()
				for made := false; !made; made, _ = e.flush(t, "") {
					if time.Since(start) > time.Hour {
						t.Fatal("shut for an hour")
					}
					time.Sleep(100 * time.Millisecond)
				}
				if got := time.Since(start) - 100*time.Millisecond; got != tt.want {
					t.Errorf("shut for %v, want %v", got, tt.want)
				}
				if state, _ := e.State(); state != Closed {
					t.Errorf("state is %s after a good probe", state)
				}
			})
		})
	}
}

// pin leaves a note for a day.
func pin(t *testing.T, store Notes, s Standing) {
	t.Helper()
	text, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := store.WriteNote(t.Context(), noteName("http"), text, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
}

// Who began a probe was killed, or has a clock an hour ahead: others wait for it no longer than
// for two probes.
func TestBoard_ProbeClaimedForEver_IsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newCount()
		e := newEnvironment(store)
		if _, err := store.AddNote(t.Context(), probeName("http"), nil, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		e.fail(t, 3, retry.Transient)
		start := time.Now()
		for made := false; !made; made, _ = e.flush(t, "") {
			time.Sleep(time.Second)
		}
		if got := time.Since(start); got < openFor || got > openFor+respect+openFor/10 {
			t.Errorf("shut for %v, want %v and about %v more", got, openFor, respect)
		}
		if asked := store.adds.Load() - 1; asked > int64(respect/(openFor/10))+1 {
			t.Errorf("asked %d times whose turn it is, want one question in %v", asked, openFor/10)
		}
	})
}

func TestBoard_UnreadableNote_IsIgnoredAndToldOnce(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"v":2,"state":"on fire","by":"x"}`, `{`, strings.Repeat(" ", maxNote) + `{}`} {
		synctest.Test(t, func(t *testing.T) {
			store := memory.New(nil)
			e := newEnvironment(store)
			for range 3 {
				if err := store.WriteNote(t.Context(), noteName("http"), []byte(text), time.Hour); err != nil {
					t.Fatal(err)
				}
				if made, _ := e.flush(t, ""); !made {
					t.Errorf("note %.40q shut the sink", text)
				}
				time.Sleep(lookEvery)
			}
			if got := strings.Count(e.log.String(), "is ignored"); got != 1 {
				t.Errorf("%d warnings about %.40q, want 1", got, text)
			}
		})
	}
}

// What an environment finds out while the store is being read is newer than what is read.
func TestBoard_ReadOvertakenByOwnAttempts_IsNotBelieved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newCount()
		e := newEnvironment(store)
		pin(t, store.Store, Standing{State: Closed, At: time.Now(), By: "other"})
		store.instead = func(context.Context) error {
			store.instead = nil
			for range 3 {
				try(t, e.Gate, retry.Transient)
			}
			return nil
		}
		if made, _ := e.flush(t, ""); made {
			t.Error("an older note closed a breaker that had just opened")
		}
	})
}

func TestBoard_Cost_ReadsEveryFiveSecondsAndWritesChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newCount()
		e := newEnvironment(store)
		for range 600 { // a minute of flushes of a tenth of a second
			e.flush(t, "")
			time.Sleep(100 * time.Millisecond)
		}
		if diff := cmp.Diff([3]int64{12, 0, 0}, store.calls()); diff != "" {
			t.Errorf("reads, writes, claims of a minute with a healthy sink (-want +got):\n%s", diff)
		}
		e.fail(t, 3, retry.Transient)
		for range 320 {
			e.flush(t, "")
			time.Sleep(100 * time.Millisecond)
		}
		if diff := cmp.Diff([3]int64{19, 2, 1}, store.calls()); diff != "" {
			t.Errorf("reads, writes, claims after one opening and a good probe (-want +got):\n%s", diff)
		}
	})
}

func TestReadStandings_TellsWhatTheEnvironmentsWrote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newCount()
		read := func() map[string]Standing {
			t.Helper()
			s, err := ReadStandings(t.Context(), store, "http", "never heard of")
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		e := newEnvironment(store)
		e.fail(t, 3, retry.Throttled)
		now := time.Now()
		want := Standing{State: Open, Until: now.Add(openFor), Class: retry.Throttled, Cause: "because throttled", At: now, By: e.board.by}
		if diff := cmp.Diff(map[string]Standing{"http": want}, read(), cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("while open (-want +got):\n%s", diff)
		}
		time.Sleep(openFor)
		if got := read()["http"].State; got != HalfOpen {
			t.Errorf("state is %s when the time is over, want half-open", got)
		}
		e.flush(t, "")
		if got := read()["http"]; got.State != Closed || got.Cause != "" {
			t.Errorf("after a good probe: %+v, want closed", got)
		}
		time.Sleep(time.Hour)
		if got := read(); len(got) != 0 {
			t.Errorf("an hour later: %+v, want nothing", got)
		}
		store.instead = func(context.Context) error { return errors.New("away") }
		if _, err := ReadStandings(t.Context(), store, "http"); err == nil {
			t.Error("a store that is away was read")
		}
	})
}

// What a gate and a board add to an attempt that goes well, and to a flush.
func BenchmarkGate_Attempt(b *testing.B) {
	for name, board := range map[string]*Board{"own": nil, "shared": NewBoard(memory.New(nil), slog.New(slog.DiscardHandler))} {
		b.Run(name, func(b *testing.B) {
			g := New(Options{Name: "http", Board: board})
			b.ReportAllocs()
			for b.Loop() {
				board.Look(b.Context())
				if err := g.Attempt(b.Context(), 1, 0, func() Verdict { return Verdict{} }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
