package replay_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
	"github.com/millrace-dev/millrace/pkg/replay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the letters of these tests failed.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a dead-letter queue and a main queue on one embedded SQS.
type world struct {
	options       replay.Options
	letters, main *queue.Queue
	service       *sqs.Service
	// intercept, when set, is asked before each call of SQS.
	intercept func(op string) error
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{}
	server := queuetest.Start(t, sqs.Options{Faults: &sqs.Faults{Intercept: func(op string, _ []byte) error {
		if w.intercept == nil {
			return nil
		}
		return w.intercept(op)
	}}})
	w.service, w.letters, w.main = server.Service, server.Queue(t, "letters"), server.Queue(t, "main")
	w.options = replay.Options{
		Letters: w.letters, Queue: w.main, Sinks: []string{"archive", "warehouse"},
		Logger: slog.New(slog.DiscardHandler),
	}
	return w
}

// run replays without a deadline.
func (w *world) run(t testing.TB, request replay.Request) replay.Report {
	t.Helper()
	report, err := w.try(t, t.Context(), request)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	return report
}

// same leaves of a report what a dry run and the real one have in common: which letters,
// how many events, and where they are.
func same(r replay.Report) replay.Report {
	r.DryRun, r.Estimate, r.Run, r.Started = false, nil, "", time.Time{}
	return r
}

func (w *world) try(t testing.TB, ctx context.Context, request replay.Request) (replay.Report, error) {
	t.Helper()
	replayer, err := replay.New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	return replayer.Run(ctx, request)
}

// put writes dead letters.
func (w *world) put(t testing.TB, messages ...batch.Message) {
	t.Helper()
	out := make([]queue.Outgoing, len(messages))
	for i := range messages {
		out[i].Message = messages[i]
	}
	if err := w.letters.Send(t.Context(), out...); err != nil {
		t.Fatal(err)
	}
}

func (w *world) wantLetters(t testing.TB, want queue.Depth) {
	t.Helper()
	if got, err := w.letters.Depth(t.Context()); err != nil || got != want {
		t.Errorf("dead letters are %+v, %v; want %+v", got, err, want)
	}
}

func (w *world) wantMain(t testing.TB, want int) {
	t.Helper()
	if got, err := w.main.Depth(t.Context()); err != nil || got.Total() != want {
		t.Errorf("main queue holds %+v, %v; want %d", got, err, want)
	}
}

// letter is a pack of one event with the given id.
func letter(t testing.TB, id string, change func(*batch.Meta)) batch.Message {
	t.Helper()
	return letterOfKind(t, id, "event", change)
}

func letterOfKind(t testing.TB, id, kind string, change func(*batch.Meta)) batch.Message {
	t.Helper()
	meta := batch.Meta{
		Tenant: "acme", Receiver: "generic", First: noon.Add(-time.Hour), Last: noon.Add(-time.Hour), Sink: "warehouse", Attempt: 5,
		Reason: &batch.Reason{Class: "transient", Stop: "attempts", Status: 503, Cause: "away", Attempts: 5, First: noon, Last: noon},
	}
	if change != nil {
		change(&meta)
	}
	messages, err := batch.Encode(meta, []event.Event{{ID: id, Source: "test", Type: "t", Kind: kind, Data: []byte(`{"id":"` + id + `"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	return messages[0]
}

// ids are the event ids of packs, sorted, in one string.
func ids(packs []batch.Pack) string {
	var out []string
	for _, p := range packs {
		for i := range p.Events {
			out = append(out, p.Events[i].ID)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// assorted are letters that differ in one thing each.
func assorted(t testing.TB) []batch.Message {
	t.Helper()
	return []batch.Message{
		letter(t, "plain", nil),
		letter(t, "archive", func(m *batch.Meta) { m.Sink = "archive" }),
		letter(t, "tenant", func(m *batch.Meta) { m.Tenant = "other" }),
		letter(t, "receiver", func(m *batch.Meta) { m.Receiver = "posthog" }),
		letter(t, "class", func(m *batch.Meta) { m.Reason.Class = "permanent" }),
		letter(t, "status", func(m *batch.Meta) { m.Reason.Status = 429 }),
		letter(t, "early", func(m *batch.Meta) { m.Reason.Last = noon.Add(-time.Hour) }),
		letterOfKind(t, "kind", "log", nil),
		letter(t, "native", func(m *batch.Meta) { m.Sink, m.Attempt, m.Reason = "", 0, nil }),
	}
}

const everyID = "archive class early kind native plain receiver status tenant"

func TestReplayer_Run_ReplaysWhatTheFilterMeans(t *testing.T) {
	t.Parallel()
	type filter = deadletter.Filter
	for _, row := range []struct {
		name   string
		filter filter
		want   string
	}{
		{"everything", filter{}, everyID},
		{"a sink", filter{Sink: "archive"}, "archive"},
		{"letters of no sink", filter{Sink: deadletter.AllSinks}, "native"},
		{"a tenant", filter{Tenant: "other"}, "tenant"},
		{"a receiver", filter{Receiver: "posthog"}, "receiver"},
		{"a class", filter{Class: "permanent"}, "class"},
		{"what crashed", filter{Class: deadletter.ClassCrashed}, "native"},
		{"a kind", filter{Kind: "log"}, "kind"},
		{"a status", filter{Status: 429}, "status"},
		{"before a time", filter{Until: noon}, "early native"},
		{"from a time", filter{Since: noon}, "archive class kind plain receiver status tenant"},
		{"several things", filter{Sink: "warehouse", Tenant: "acme", Status: 503, Since: noon, Kind: "event", Class: "transient", Receiver: "generic"}, "plain"},
		{"nothing", filter{Tenant: "nobody"}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				all := assorted(t)
				w.put(t, all...)

				dry := w.run(t, replay.Request{Filter: row.filter, DryRun: true})
				w.wantLetters(t, queue.Depth{Visible: len(all)})
				w.wantMain(t, 0)
				again := w.run(t, replay.Request{Filter: row.filter, DryRun: true})
				w.wantLetters(t, queue.Depth{Visible: len(all)})
				if diff := cmp.Diff(same(dry), same(again)); diff != "" {
					t.Errorf("a second dry run differs (-first +second):\n%s", diff)
				}

				wet := w.run(t, replay.Request{Filter: row.filter})
				if diff := cmp.Diff(same(dry), same(wet)); diff != "" {
					t.Errorf("the run differs from the dry run (-dry +real):\n%s", diff)
				}
				matching := len(strings.Fields(row.want))
				if wet.Replayed != matching || wet.Scanned != len(all) || wet.More {
					t.Errorf("report is %+v, want %d replayed of %d", wet, matching, len(all))
				}
				w.wantLetters(t, queue.Depth{Visible: len(all) - matching})
				w.wantMain(t, matching)

				if third := w.run(t, replay.Request{Filter: row.filter}); third.Replayed != 0 || third.Scanned != len(all)-matching {
					t.Errorf("a second run reports %+v, want nothing replayed", third)
				}
				if got := ids(queuetest.Packs(t, w.main)); got != row.want {
					t.Errorf("replayed %q, want %q", got, row.want)
				}
				var rest []string
				for id := range strings.FieldsSeq(everyID) {
					if !slices.Contains(strings.Fields(row.want), id) {
						rest = append(rest, id)
					}
				}
				if got := ids(queuetest.Packs(t, w.letters)); got != strings.Join(rest, " ") {
					t.Errorf("left %q, want %q", got, rest)
				}
			})
		})
	}
}

func TestReplayer_Run_Target(t *testing.T) {
	t.Parallel()
	native := func(m *batch.Meta) { m.Sink, m.Attempt, m.Reason = "", 0, nil }
	for _, row := range []struct {
		name     string
		change   func(*batch.Meta)
		to, want string
		keeps    bool // its id
	}{
		{"the sink that did not take it", nil, "", "warehouse", false},
		{"another sink", nil, "archive", "archive", false},
		{"the front, through the routes", nil, replay.ToFront, "", false},
		{"a sink that is not configured any more", func(m *batch.Meta) { m.Sink = "gone" }, "", "gone", false},
		{"what names no sink goes to the front", native, "", "", true},
		{"what names no sink can have one chosen", native, "archive", "archive", false},
		{"a residue whose flush crashed goes to its sink", func(m *batch.Meta) { m.Reason.Stop = "" }, "", "warehouse", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				sent := letter(t, "a", func(m *batch.Meta) {
					m.Generation, m.Trace, m.NotBefore = 2, "00-trace", noon
					if row.change != nil {
						row.change(m)
					}
				})
				w.put(t, sent)
				w.run(t, replay.Request{To: row.to})
				got := queuetest.Packs(t, w.main)
				if len(got) != 1 {
					t.Fatalf("%d packs on the main queue, want 1", len(got))
				}
				want := sent.Header
				want.ID, want.Sink, want.Generation = got[0].Header.ID, row.want, 3
				want.Attempt, want.NotBefore = 0, time.Time{}
				if !row.keeps {
					want.Reason = nil // in no books any more
				}
				if diff := cmp.Diff(want, got[0].Header); diff != "" {
					t.Errorf("header (-want +got):\n%s", diff)
				}
				if keeps := got[0].Header.ID == sent.Header.ID; keeps != row.keeps {
					t.Errorf("the pack has its letter's id: %v, want %v; whoever dedups would take it for what was delivered", keeps, row.keeps)
				}
				if data := string(got[0].Events[0].Data); data != `{"id":"a"}` {
					t.Errorf("data is %s", data)
				}
			})
		})
	}
}

func TestReplayer_Run_LeavesWhatItMayNotReplay(t *testing.T) {
	t.Parallel()
	stopped := func(stop string) func(*batch.Meta) {
		return func(m *batch.Meta) { m.Sink, m.Reason.Stop = "", stop }
	}
	generation := func(n int) func(*batch.Meta) { return func(m *batch.Meta) { m.Generation = n } }
	for _, row := range []struct {
		name    string
		change  func(*batch.Meta)
		request replay.Request
		left    string // empty: it is replayed
	}{
		{"replayed four times", generation(4), replay.Request{}, ""},
		{"replayed five times", generation(5), replay.Request{}, "replayed too often"},
		{"replayed five times, six allowed", generation(5), replay.Request{MaxGeneration: 6}, ""},
		{"replayed once, one allowed", generation(1), replay.Request{MaxGeneration: 1}, "replayed too often"},
		{"the cap holds for every target", generation(5), replay.Request{To: replay.ToFront}, "replayed too often"},
		{"refused at ingest", stopped(deadletter.StopRefused), replay.Request{}, "refused or unreadable: choose a target with to"},
		{"refused at ingest, sent to a sink", stopped(deadletter.StopRefused), replay.Request{To: "archive"}, ""},
		{"unreadable", stopped(deadletter.StopUnreadable), replay.Request{}, "refused or unreadable: choose a target with to"},
		{"unreadable, sent to the front", stopped(deadletter.StopUnreadable), replay.Request{To: replay.ToFront}, ""},
		{"not meant", nil, replay.Request{Filter: deadletter.Filter{Tenant: "nobody"}}, "no match"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.put(t, letter(t, "a", row.change))
				report := w.run(t, row.request)
				want := replay.Report{Scanned: 1, Counts: []replay.Count{}, Left: map[string]int{row.left: 1}}
				if row.left == "" {
					w.wantMain(t, 1)
					return
				}
				if diff := cmp.Diff(want, same(report)); diff != "" {
					t.Errorf("report (-want +got):\n%s", diff)
				}
				w.wantMain(t, 0)
				w.wantLetters(t, queue.Depth{Visible: 1})
			})
		})
	}
}

// TestReplayer_Run_ForeignMessages: what is no pack of this version stays, byte for byte.
func TestReplayer_Run_ForeignMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		bodies := []string{"hello", `{"v":1,"tenant":""}`, `{"v":99,"id":"x","shape":"new"}`}
		for _, body := range bodies {
			if _, err := w.service.Send(t.Context(), "letters", sqs.SendInput{Body: body}); err != nil {
				t.Fatal(err)
			}
		}
		report := w.run(t, replay.Request{To: replay.ToFront})
		want := replay.Report{Scanned: 3, Counts: []replay.Count{}, Left: map[string]int{"not a pack": 2, "written by a newer version": 1}}
		if diff := cmp.Diff(want, same(report)); diff != "" {
			t.Errorf("report (-want +got):\n%s", diff)
		}
		got, err := w.letters.Receive(t.Context(), queue.MaxEntries, 0, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, m := range got {
			left = append(left, string(m.Body))
		}
		slices.Sort(left)
		if diff := cmp.Diff(bodies, left); diff != "" {
			t.Errorf("bodies (-want +got):\n%s", diff)
		}
	})
}

func TestReplayer_Run_NeverPassesTheLimit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name            string
		limit, matching int
		more            bool
	}{
		{"one of many", 1, 30, true},
		{"within the first receive", 7, 30, true},
		{"across receives", 23, 30, true},
		{"exactly all may be more", 30, 30, true},
		{"more than there are", 31, 30, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				const others = 20
				for i := range others {
					w.put(t, letter(t, fmt.Sprintf("other%02d", i), func(m *batch.Meta) { m.Tenant = "other" }))
				}
				for i := range row.matching {
					w.put(t, letter(t, fmt.Sprintf("e%02d", i), nil))
				}
				request := replay.Request{Filter: deadletter.Filter{Tenant: "acme"}, Limit: row.limit}
				want := min(row.limit, row.matching)
				dry := request
				dry.DryRun = true
				if report := w.run(t, dry); report.Replayed != want || report.More != row.more {
					t.Errorf("dry run reports %+v, want %d replayed, more %v", report, want, row.more)
				}
				w.wantLetters(t, queue.Depth{Visible: others + row.matching})
				if report := w.run(t, request); report.Replayed != want || report.More != row.more {
					t.Errorf("run reports %+v, want %d replayed, more %v", report, want, row.more)
				}
				w.wantMain(t, want)
				w.wantLetters(t, queue.Depth{Visible: others + row.matching - want})
			})
		})
	}
}

// TestReplayer_Run_ManyClasses: 1,000 letters in 40 classes; the dry run tells exactly
// what the run does.
func TestReplayer_Run_ManyClasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const letters, sinks, classes = 1000, 8, 5
		all := make([]batch.Message, letters)
		for i := range all {
			all[i] = letter(t, fmt.Sprintf("e%04d", i), func(m *batch.Meta) {
				m.Sink = fmt.Sprintf("sink%d", i%sinks)
				m.Reason.Class = fmt.Sprintf("class%d", i/sinks%classes)
			})
		}
		w.put(t, all...)
		dry := w.run(t, replay.Request{DryRun: true})
		if len(dry.Counts) != sinks*classes || dry.Replayed != letters || dry.Events != letters {
			t.Fatalf("dry run counts %d classes, %d letters, %d events", len(dry.Counts), dry.Replayed, dry.Events)
		}
		for _, c := range dry.Counts {
			if c.Letters != letters/sinks/classes || c.Events != c.Letters {
				t.Errorf("count is %+v, want %d letters", c, letters/sinks/classes)
			}
		}
		for s := range sinks {
			w.run(t, replay.Request{Filter: deadletter.Filter{Sink: fmt.Sprintf("sink%d", s), Class: "class0"}})
		}
		w.wantMain(t, letters/classes)
		rest := w.run(t, replay.Request{})
		if rest.Replayed != letters-letters/classes || len(rest.Counts) != sinks*(classes-1) {
			t.Errorf("run reports %d letters in %d classes", rest.Replayed, len(rest.Counts))
		}
		w.wantLetters(t, queue.Depth{})
		if got := queuetest.Packs(t, w.main); len(got) != letters || len(slices.Compact(strings.Fields(ids(got)))) != letters {
			t.Errorf("%d packs on the main queue, want %d different ones", len(got), letters)
		}
	})
}
