package replay_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
	"github.com/millrace-dev/millrace/pkg/replay"
)

// mixed is a letter that holds an event of each type; the id of an event is name-type.
func mixed(t testing.TB, name string, types ...string) batch.Message {
	t.Helper()
	events := make([]event.Event, len(types))
	for i, kind := range types {
		id := name + "-" + kind
		events[i] = event.Event{ID: id, Source: "test", Type: kind, Kind: strings.SplitN(kind, ".", 2)[0], Data: []byte(`{"id":"` + id + `"}`)}
	}
	messages, err := batch.Encode(batch.Meta{
		Tenant: "acme", Receiver: "generic", First: noon.Add(-time.Hour), Last: noon, Sink: "warehouse", Attempt: 5, Generation: 2, Trace: "00-t",
		Reason: &batch.Reason{Class: "permanent", Stop: "rejected", Status: 400, Cause: "no", Attempts: 1, First: noon, Last: noon},
	}, events)
	if err != nil || len(messages) != 1 {
		t.Fatalf("encode: %d messages, %v", len(messages), err)
	}
	return messages[0]
}

func paid() replay.Request { return replay.Request{Type: "payment.*"} }

func TestReplayer_Run_Type_CutsLettersThatFitInPart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, pattern string
		sent, left    string // event ids
		replayed      int
		split         int
		kinds         string
	}{
		{"part of one letter, all of another, none of a third", "payment.*", "a-payment.made a-payment.void b-payment.made", "a-page.seen c-page.seen", 2, 1, "payment"},
		{"one type", "payment.void", "a-payment.void", "a-page.seen a-payment.made b-payment.made c-page.seen", 1, 1, "payment"},
		{"the end of a type", "*.made", "a-payment.made b-payment.made", "a-page.seen a-payment.void c-page.seen", 2, 1, "payment"},
		{"every type", "*", "a-page.seen a-payment.made a-payment.void b-payment.made c-page.seen", "", 3, 0, ""},
		{"no type there is", "Payment.*", "", "a-page.seen a-payment.made a-payment.void b-payment.made c-page.seen", 0, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				whole := mixed(t, "a", "payment.made", "page.seen", "payment.void")
				w.put(t, whole, mixed(t, "b", "payment.made"), mixed(t, "c", "page.seen"))
				request := replay.Request{Type: row.pattern}
				dry := request
				dry.DryRun = true
				want := w.run(t, dry)
				w.wantLetters(t, queue.Depth{Visible: 3})
				got := w.run(t, request)
				if diff := cmp.Diff(same(want), same(got)); diff != "" {
					t.Errorf("the run differs from the dry run (-dry +real):\n%s", diff)
				}
				if got.Replayed != row.replayed || got.Split != row.split || got.Events != len(strings.Fields(row.sent)) {
					t.Errorf("report is %+v, want %d letters, %d of them cut", got, row.replayed, row.split)
				}
				for _, c := range got.Counts {
					if row.kinds != "" && c.Kind != row.kinds {
						t.Errorf("count is %+v, want only the kinds that were sent: %s", c, row.kinds)
					}
				}
				main, letters := queuetest.Packs(t, w.main), queuetest.Packs(t, w.letters)
				if ids(main) != row.sent || ids(letters) != row.left {
					t.Errorf("sent %q and left %q, want %q and %q", ids(main), ids(letters), row.sent, row.left)
				}
				for _, p := range main {
					if p.Header.Generation != 3 || p.Header.Sink != "warehouse" || p.Header.Reason != nil || p.Header.Trace != "00-t" {
						t.Errorf("pack is %+v, want the third generation for its sink", p.Header)
					}
				}
				for _, p := range letters {
					if diff := cmp.Diff(whole.Header.Meta(), p.Header.Meta()); diff != "" {
						t.Errorf("the story of the rest (-letter +rest):\n%s", diff)
					}
				}
			})
		})
	}
}

// TestReplayer_Run_Type_Property: whatever letters there are, what fits is sent once, the
// rest stays once, and a second run finds nothing.
func TestReplayer_Run_Type_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		drawn := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]string{"payment.made", "page.seen", "payment", "xpayment.y"}), 1, 6), 1, 25).Draw(r, "letters")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var sent, left []string
			for i, types := range drawn {
				for k := range types {
					types[k] += fmt.Sprint(k)
					id := fmt.Sprintf("l%02d-%s", i, types[k])
					if strings.HasPrefix(types[k], "payment.") {
						sent = append(sent, id)
					} else {
						left = append(left, id)
					}
				}
				w.put(t, mixed(t, fmt.Sprintf("l%02d", i), types...))
			}
			w.run(t, paid())
			if again := w.run(t, paid()); again.Replayed != 0 {
				t.Errorf("a second run replayed %d letters", again.Replayed)
			}
			slices.Sort(sent)
			slices.Sort(left)
			if got := ids(queuetest.Packs(t, w.main)); got != strings.Join(sent, " ") {
				t.Errorf("sent %q, want %q", got, sent)
			}
			if got := ids(queuetest.Packs(t, w.letters)); got != strings.Join(left, " ") {
				t.Errorf("left %q, want %q", got, left)
			}
		})
	})
}

// TestReplayer_Run_CutCrashes_LosesNothing: wherever a run ends, every event is somewhere,
// and the next run leaves each pack under one id.
func TestReplayer_Run_CutCrashes_LosesNothing(t *testing.T) {
	t.Parallel()
	const sent, left = "a-payment.made", "a-page.seen"
	for _, row := range []struct {
		name string
		// fails says whether the n-th send and the delete of the first run reach SQS.
		sends, deletes int
		copiesSent     int // at the end, after a second run
		copiesLeft     int
	}{
		{"before anything is written", 0, 0, 1, 1},
		{"between the pack and the rest", 1, 0, 2, 1},
		{"between the rest and the delete", 2, 0, 2, 2},
		{"never", 2, 1, 1, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.put(t, mixed(t, "a", "payment.made", "page.seen"))
				sends, deletes := 0, 0
				w.intercept = func(op string) error {
					switch {
					case op == "SendMessage" || op == "SendMessageBatch":
						if sends++; sends > row.sends {
							return sqs.Unavailable()
						}
					case op == "DeleteMessageBatch":
						if deletes++; deletes > row.deletes {
							return sqs.Unavailable()
						}
					}
					return nil
				}
				_, err := w.try(t, t.Context(), paid())
				if whole := row.deletes == 1; (err == nil) != whole {
					t.Errorf("error is %v, want one: %v", err, !whole)
				}
				w.intercept = nil
				time.Sleep(6 * time.Minute)
				w.run(t, paid())
				main, letters := queuetest.Packs(t, w.main), queuetest.Packs(t, w.letters)
				if len(main) != row.copiesSent || len(letters) != row.copiesLeft {
					t.Errorf("%d packs and %d letters, want %d and %d", len(main), len(letters), row.copiesSent, row.copiesLeft)
				}
				for packs, want := range map[*[]batch.Pack]string{&main: sent, &letters: left} {
					for _, p := range *packs {
						if got := ids([]batch.Pack{p}); got != want || p.Header.ID != (*packs)[0].Header.ID {
							t.Errorf("pack %s holds %q, want %q under one id", p.Header.ID, got, want)
						}
					}
				}
			})
		})
	}
}

// TestReplayer_Run_Type_BrokenEvents: a letter whose events cannot be read stays.
func TestReplayer_Run_Type_BrokenEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		broken := mixed(t, "a", "payment.made")
		broken.Events = []byte("broken")
		w.put(t, broken)
		if report := w.run(t, paid()); report.Replayed != 0 || report.Left["events cannot be read"] != 1 {
			t.Errorf("report is %+v, want one letter that cannot be read", report)
		}
		w.wantLetters(t, queue.Depth{Visible: 1})
		if report := w.run(t, replay.Request{Filter: deadletter.Filter{Class: "permanent"}}); report.Replayed != 1 {
			t.Errorf("without a type the report is %+v, want it moved undecoded", report)
		}
	})
}

// TestReplayer_Run_Type_LosesNoReply: a rest that is on the queue although SQS's reply was
// lost is not looked at by the run that wrote it.
func TestReplayer_Run_Type_LosesNoReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Letters = forgetful{w.letters}
		w.put(t, mixed(t, "a", "payment.made", "page.seen"))
		report, err := w.try(t, t.Context(), paid())
		if err == nil || report.Replayed != 0 || report.Scanned != 1 {
			t.Errorf("report is %+v, %v; want an error and one letter looked at", report, err)
		}
		w.wantLetters(t, queue.Depth{Visible: 2})
	})
}

// forgetful writes letters and loses the reply.
type forgetful struct{ *queue.Queue }

func (f forgetful) Send(ctx context.Context, messages ...queue.Outgoing) error {
	if err := f.Queue.Send(ctx, messages...); err != nil {
		return err
	}
	return context.DeadlineExceeded
}
