package audit

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func TestCompare_NamesWhatIsNotThereOnce(t *testing.T) {
	t.Parallel()
	journal := journalOf(t,
		ev("acme", "web", "once"), ev("acme", "web", "lost"), ev("acme", "web", "doubled"), ev("acme", "web", "resent"), ev("acme", "web", "resent"),
		ev("acme", "web", "waiting"), ev("acme", "web", "dead"), ev("acme", "web", "dead and waiting"), ev("acme", "web", "dead and delivered"),
		ev("acme", "web", "of another sink"))
	letter := Place{Where: DeadLetters, Pack: "p2", Sink: "archive", Class: "permanent", Status: 400, Stop: "permanent", Cause: "bad", Attempts: 1}
	elsewhere := Place{Where: DeadLetters, Pack: "p3", Sink: "other"}
	waiting := Place{Where: MainQueue, Pack: "p1"}
	var where Whereabouts
	where.Add(waiting, "acme", []Delivered{{Source: "web", ID: "waiting"}, {Source: "web", ID: "dead and waiting"}, {Source: "web", ID: "older"}})
	where.Add(letter, "acme", []Delivered{{Source: "web", ID: "dead"}, {Source: "web", ID: "dead and waiting"}, {Source: "web", ID: "dead and delivered"}})
	where.Add(elsewhere, "acme", []Delivered{{Source: "web", ID: "of another sink"}})
	counts, findings := compared(t, &journal, &where, outputOf(
		record("acme", "web", "once"), record("acme", "web", "doubled"), record("acme", "web", "resent"), record("acme", "web", "resent"),
		record("acme", "web", "doubled"), "", record("acme", "web", "dead and delivered"), record("acme", "web", "from before"), `{"id":"half a li`))
	want := Counts{Accepted: 9, Delivered: 2, Doubled: 2, Resent: 1, InFlight: 2, DeadLettered: 1, Missing: 2, Unlisted: 1, Unreadable: 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	finding := func(verdict Verdict, id string, accepted, delivered int, place Place) Finding {
		return Finding{
			Verdict: verdict, Sink: "archive", Tenant: "acme", Source: "web", ID: id, Type: "order",
			Accepted: accepted, Delivered: delivered, Place: place,
		}
	}
	wantFindings := []Finding{
		finding(Missing, "lost", 1, 0, Place{Where: Nowhere}),
		finding(Doubled, "doubled", 1, 2, Place{Where: AtSink}),
		finding(Doubled, "resent", 2, 2, Place{Where: AtSink}),
		finding(InFlight, "waiting", 1, 0, waiting),
		finding(DeadLettered, "dead", 1, 0, letter),
		finding(InFlight, "dead and waiting", 1, 0, waiting),
		finding(Missing, "of another sink", 1, 0, Place{Where: Nowhere}),
	}
	if diff := cmp.Diff(wantFindings, findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestCompare_TellsTenantsAndSourcesApart(t *testing.T) {
	t.Parallel()
	journal := journalOf(t, ev("acme", "web", "1"), ev("acme", "app", "1"), ev("umbrella", "web", "1"))
	counts, findings := compared(t, &journal, &Whereabouts{}, outputOf(record("acme", "web", "1"), record("umbrella", "web", "1")))
	if counts.Missing != 1 || len(findings) != 1 || findings[0].Tenant != "acme" || findings[0].Source != "app" {
		t.Errorf("counts %+v, findings %+v; want only acme/app missing", counts, findings)
	}
}

func TestCompare_AListOfIDs_GoesByIDAlone(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long", 1000)
	journal := journalOf(t, ev("acme", "web", "1"), ev("acme", "web", "quoted \" one"), ev("acme", "web", long))
	counts, findings := compared(t, &journal, &Whereabouts{}, outputOf("1\r", `"quoted \" one"`, long, `{"id":"3"}`))
	want := Counts{Accepted: 3, Delivered: 3, Unlisted: 1}
	if diff := cmp.Diff(want, counts); diff != "" || len(findings) > 0 {
		t.Errorf("findings %+v, counts (-want +got):\n%s", findings, diff)
	}
}

// Tenants may use equal ids, and so may sources. A list of ids does not say whose an id is, but two events are two.
func TestCompare_AListOfIDs_KeepsEqualIDsOfTwoTenantsApart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		times     int // that the sink has the id
		dead      bool
		want      Counts
		wantNamed []string
	}{
		{"both are there", 2, false, Counts{Accepted: 2, Delivered: 2}, nil},
		{"one is there", 1, false, Counts{Accepted: 2, Delivered: 1, Missing: 1}, []string{"umbrella missing"}},
		{"one is there, one is a dead letter", 1, true, Counts{Accepted: 2, Delivered: 1, DeadLettered: 1}, []string{"acme dead_lettered"}},
		{"both are there, one was a dead letter", 2, true, Counts{Accepted: 2, Delivered: 2}, nil},
		{"none is there", 0, false, Counts{Accepted: 2, Missing: 2}, []string{"acme missing", "umbrella missing"}},
		{"one too many", 3, false, Counts{Accepted: 2, Delivered: 1, Doubled: 1}, []string{"acme doubled"}},
	} {
		journal := journalOf(t, ev("acme", "web", "7"), ev("umbrella", "web", "7"), ev("acme", "web", "8"))
		var where Whereabouts
		if row.dead {
			where.Add(Place{Where: DeadLetters}, "acme", placedEvents([]string{"7"}))
		}
		counts, findings := compared(t, &journal, &where, outputOf(append(slices.Repeat([]string{"7"}, row.times), "8")...))
		row.want.Accepted++
		row.want.Delivered++
		var named []string
		for _, f := range findings {
			named = append(named, f.Tenant+" "+string(f.Verdict))
			if !f.Alike {
				t.Errorf("%s: finding %+v does not say that others have its id", row.name, f)
			}
		}
		if diff := cmp.Diff(row.want, counts); diff != "" || !slices.Equal(named, row.wantNamed) {
			t.Errorf("%s: named %q, want %q; counts (-want +got):\n%s", row.name, named, row.wantNamed, diff)
		}
	}
}

// Sent twice by both, an id may be there four times.
func TestCompare_AListOfIDs_EqualIDsSentAgain_AreResent(t *testing.T) {
	t.Parallel()
	journal := journalOf(t, ev("acme", "web", "7"), ev("acme", "web", "7"), ev("acme", "app", "7"), ev("acme", "app", "7"))
	counts, _ := compared(t, &journal, &Whereabouts{}, outputOf("7", "7", "7", "7"))
	if want := (Counts{Accepted: 2, Doubled: 2, Resent: 2}); counts != want {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
}

// Whatever a list of ids says of the events of some tenants: every event is counted once, every delivery is put down to one
// event, and no event lacks what another has too often.
func TestCompare_Property_AListOfIDsIsSharedOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		ids, tenants := rapid.SampledFrom([]string{"1", "2", "3"}), rapid.SampledFrom([]string{"a", "b", "c"})
		events := make([]event.Event, rapid.IntRange(1, 20).Draw(t, "accepted"))
		sent := make([]event.Identity, len(events))
		for i := range events {
			events[i] = ev(tenants.Draw(t, "tenant"), "web", ids.Draw(t, "id"))
			sent[i] = events[i].Identity()
		}
		delivered := rapid.SliceOfN(ids, 0, 12).Draw(t, "delivered")
		journal := journalOf(inRapid{t, dir}, events...)
		counts, findings := compared(inRapid{t, dir}, &journal, &Whereabouts{}, outputOf(delivered...))

		bearers, lacking, doubled, left := map[string]int{}, map[string]bool{}, map[string]bool{}, len(delivered)
		for identity := range tallied(sent) {
			bearers[identity.ID]++
		}
		for _, f := range findings {
			lacking[f.ID] = lacking[f.ID] || f.Verdict == Missing
			doubled[f.ID] = doubled[f.ID] || f.Verdict == Doubled
			left -= f.Delivered
		}
		if wrong := counts.Accepted - len(tallied(sent)); wrong != 0 || counts.Delivered+counts.Doubled+counts.Missing != counts.Accepted {
			t.Fatalf("counts %+v, want every event counted once", counts)
		}
		if left != counts.Delivered+counts.Unlisted {
			t.Fatalf("%d deliveries are put down to %d events at the sink once, %d of nobody", left, counts.Delivered, counts.Unlisted)
		}
		for id, n := range bearers {
			if lacking[id] && (doubled[id] || tallied(delivered)[id] >= n) {
				t.Fatalf("id %s is there %d times for %d events, and findings are %+v", id, tallied(delivered)[id], n, findings)
			}
		}
	})
}

func TestCompare_OnlyWhatIsForTheSink(t *testing.T) {
	t.Parallel()
	journal := journalOf(t, ev("acme", "web", "1"), ev("acme", "app", "2"))
	sink := Sink{Name: "s", Wants: func(e *event.Event) bool { return e.Source == "app" }, Delivered: ReadDelivered(outputOf())}
	var named []string
	counts, err := Compare(&journal, &Whereabouts{}, &sink, func(f *Finding) { named = append(named, f.ID) })
	if err != nil || counts != (Counts{Accepted: 1, Missing: 1}) || !slices.Equal(named, []string{"2"}) {
		t.Errorf("counts %+v, named %v, %v; want event 2 missing", counts, named, err)
	}
}

func TestCompare_TimeBounds(t *testing.T) {
	t.Parallel()
	journal := journalOf(t, ev("acme", "web", "1"))
	for name, bounds := range map[string][2]time.Time{
		"before": {{}, time.Now().Add(-time.Hour)},
		"after":  {time.Now().Add(time.Hour), {}},
	} {
		bounded := Journal{Files: journal.Files, Since: bounds[0], Until: bounds[1]}
		if counts, _ := compared(t, &bounded, &Whereabouts{}, outputOf()); counts != (Counts{}) {
			t.Errorf("%s: %+v, want nothing", name, counts)
		}
	}
}

// A journal that makes room while it is read lacks its oldest file from one pass to the next: what that held is left out,
// and nothing else.
func TestCompare_OldestFileRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	oldest, newest := journalOf(t, ev("acme", "web", "1"), ev("acme", "web", "2")), journalOf(t, ev("acme", "web", "3"), ev("acme", "web", "4"))
	for name, kept := range map[string]bool{"of a keeper": true, "of a person": false} {
		path := filepath.Join(t.TempDir(), "oldest.ndjson")
		if err := os.Link(oldest.Files[0], path); err != nil {
			t.Fatal(err)
		}
		journal := Journal{Files: []string{path, newest.Files[0]}, Kept: kept}
		sink := Sink{Name: "archive", Wants: func(*event.Event) bool { return true }, Delivered: func(yield func(Delivered, error) bool) {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
			ReadDelivered(outputOf(record("acme", "web", "1"), record("acme", "web", "3")))(yield)
		}}
		counts, err := Compare(&journal, &Whereabouts{}, &sink, func(*Finding) {})
		if !kept {
			if err == nil {
				t.Errorf("%s: a file that is not there was read", name)
			}
			continue
		}
		if want := (Counts{Accepted: 2, Delivered: 1, Missing: 1}); err != nil || counts != want || journal.Removed() != 1 {
			t.Errorf("%s: counts %+v, %v, %d files removed; want %+v and one", name, counts, err, journal.Removed(), want)
		}
		if summary, err := Summarise(&journal, func(*event.Event) []string { return nil }); err != nil || summary.Events != 2 || journal.Removed() != 1 {
			t.Errorf("%s: then it has %d events (%v) and lacks %d files, want 2 and the one", name, summary.Events, err, journal.Removed())
		}
	}
}

func TestCompare_NoJournal(t *testing.T) {
	t.Parallel()
	sink := Sink{Delivered: ReadDelivered(outputOf())}
	if _, err := Compare(&Journal{Files: []string{"/does/not/exist"}}, &Whereabouts{}, &sink, nil); err == nil {
		t.Error("a journal that does not exist was compared")
	}
}

// TestCompare_Property holds Compare to a model that counts texts: nothing is counted twice or left out, and every
// event that is not there once is named once.
func TestCompare_Property(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"})
		accepted := rapid.SliceOfN(names, 1, 20).Draw(t, "accepted")
		waiting := rapid.SliceOfN(names, 0, 5).Draw(t, "waiting")
		dead := rapid.SliceOfN(names, 0, 5).Draw(t, "dead")
		delivered := rapid.SliceOfN(names, 0, 12).Draw(t, "delivered")
		lists := rapid.Bool().Draw(t, "a list of ids")

		events, lines := make([]event.Event, len(accepted)), make([]string, len(delivered))
		for i, id := range accepted {
			events[i] = ev("acme", "web", id)
		}
		for i, id := range delivered {
			if lines[i] = record("acme", "web", id); lists {
				lines[i] = id
			}
		}
		var where Whereabouts
		where.Add(Place{Where: MainQueue}, "acme", placedEvents(waiting))
		where.Add(Place{Where: DeadLetters}, "acme", placedEvents(dead))
		journal := journalOf(inRapid{t, dir}, events...)
		counts, findings := compared(inRapid{t, dir}, &journal, &where, outputOf(lines...))

		want, times := Counts{}, tallied(delivered)
		wantNamed := map[string]Verdict{}
		for id, n := range tallied(accepted) {
			want.Accepted++
			switch {
			case times[id] == 1:
				want.Delivered++
				continue
			case times[id] > 1:
				want.Doubled++
				wantNamed[id] = Doubled
				if times[id] <= n {
					want.Resent++
				}
			case slices.Contains(waiting, id):
				want.InFlight++
				wantNamed[id] = InFlight
			case slices.Contains(dead, id):
				want.DeadLettered++
				wantNamed[id] = DeadLettered
			default:
				want.Missing++
				wantNamed[id] = Missing
			}
		}
		for id, n := range times {
			if !slices.Contains(accepted, id) {
				want.Unlisted += n
			}
		}
		named := map[string]Verdict{}
		for _, f := range findings {
			named[f.ID] = f.Verdict
		}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Fatalf("counts (-want +got):\n%s", diff)
		}
		if !maps.Equal(named, wantNamed) || len(findings) != len(named) {
			t.Fatalf("named %v, want %v", findings, wantNamed)
		}
	})
}

// inRapid gives a property the test's directory.
type inRapid struct {
	*rapid.T

	dir string
}

func (r inRapid) TempDir() string { return r.dir }

func placedEvents(ids []string) []Delivered {
	events := make([]Delivered, len(ids))
	for i, id := range ids {
		events[i] = Delivered{Source: "web", ID: id}
	}
	return events
}

func tallied[T comparable](things []T) map[T]int {
	times := map[T]int{}
	for _, thing := range things {
		times[thing]++
	}
	return times
}

func TestSummarise(t *testing.T) {
	t.Parallel()
	journal := journalOf(t, ev("acme", "web", "1"), ev("acme", "web", "2"), ev("umbrella", "web", "2"))
	summary, err := Summarise(&journal, func(e *event.Event) []string {
		if e.ID == "1" {
			return nil
		}
		return []string{"archive"}
	})
	if err != nil || summary.Events != 3 || summary.Unrouted != 1 || summary.To.Before(summary.From) || summary.From.IsZero() {
		t.Errorf("summary %+v, %v; want 3 events of which 1 goes nowhere", summary, err)
	}
}

// BenchmarkCompare compares a million events that are all delivered, and tells how much memory that takes.
func BenchmarkCompare(b *testing.B) {
	const n = 1_000_000
	events := make([]event.Event, n)
	var output strings.Builder
	for i := range events {
		events[i] = ev("acme", "web", fmt.Sprintf("0195e0a4-3c1b-7c55-9a00-%012d", i))
		output.WriteString(record("acme", "web", events[i].ID) + "\n")
	}
	journal := journalOf(b, events...)
	b.ReportAllocs()
	for b.Loop() {
		counts, _ := compared(b, &journal, &Whereabouts{}, strings.NewReader(output.String()))
		if counts.Delivered != n {
			b.Fatalf("%+v", counts)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// ending writes that events ended otherwise into a file of their own, and adds it to the journal.
func ending(t *testing.T, journal *Journal, sink string, how map[string]ledger.Counter) {
	t.Helper()
	var lines strings.Builder
	log := telemetry.EndedLog(&lines)
	for id, counter := range how {
		e := ev("acme", "web", id)
		log(counter, sink, &e)
	}
	path := filepath.Join(t.TempDir(), "ended.ndjson")
	if err := os.WriteFile(path, []byte(lines.String()+"half a line"), 0o600); err != nil {
		t.Fatal(err)
	}
	journal.Files = append(journal.Files, path)
}

func TestCompare_WhatEndedWithoutADelivery(t *testing.T) {
	t.Parallel()
	journal := journalOf(t, ev("acme", "web", "rejected"), ev("acme", "web", "dropped"), ev("acme", "web", "deduped"),
		ev("acme", "web", "deduped by fields"), ev("acme", "web", "delivered and deduped"), ev("acme", "web", "dropped elsewhere"))
	ending(t, &journal, "archive", map[string]ledger.Counter{
		"rejected": ledger.Rejected, "dropped": ledger.Dropped, "deduped": ledger.Deduped, "deduped by fields": ledger.Deduped,
		"delivered and deduped": ledger.Deduped, "of another time": ledger.Dropped,
	})
	ending(t, &journal, "other", map[string]ledger.Counter{"dropped elsewhere": ledger.Dropped})
	sink := Sink{
		Name: "archive", Wants: func(*event.Event) bool { return true }, ByFields: func(e *event.Event) bool { return strings.HasSuffix(e.ID, "by fields") },
		Delivered: ReadDelivered(outputOf(record("acme", "web", "delivered and deduped"))),
	}
	type judged struct {
		Verdict Verdict
		Where   Where
	}
	got := map[string]judged{}
	counts, err := Compare(&journal, &Whereabouts{}, &sink, func(f *Finding) { got[f.ID] = judged{f.Verdict, f.Place.Where} })
	if want := (Counts{Accepted: 6, Delivered: 1, GivenUp: 3, Missing: 2}); err != nil || counts != want {
		t.Errorf("counts %+v, %v; want %+v", counts, err, want)
	}
	want := map[string]judged{
		"rejected": {GivenUp, Rejected}, "dropped": {GivenUp, Dropped}, "deduped": {Missing, Deduped}, "deduped by fields": {GivenUp, Deduped},
		"dropped elsewhere": {Missing, Nowhere},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
