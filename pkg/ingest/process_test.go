package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// filters reads the steps as the file has them, through all of its checks.
func filters(t testing.TB, list string) func(*ingest.Options) {
	t.Helper()
	c, err := config.Parse("millrace.yaml", []byte(`version: 1
keys:
  - { name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }
  - { name: other, sha256: 3c58382e6a355f18776c5e413c1109e866b3114236cec103a9700f105897f0c4, tenant: umbrella }
sinks: { out: { type: stdout } }
routes: [{ to: [out] }]
processors: `+list+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return func(o *ingest.Options) { o.Processors = c.Processors }
}

const doLog = `[{ filter: { match: { type: exposure }, keep_if: { field: doLog, equals: true } } }]`

// books are the lines of the ledger with their classes.
func books(b *bundle) map[string]int {
	lines := make(map[string]int)
	for _, e := range b.books.Snapshot() {
		name := string(e.Counter)
		if e.Class != "" {
			name += " " + e.Class
		}
		lines[name] += e.Count
	}
	return lines
}

// A1: only evaluations whose doLog is true become exposures. The others are answered as
// if they had been taken, so that no SDK sends them again, and counted by their cause.
func TestRowA1_Handler_OnlyEvaluationsToBeLoggedBecomeExposures(t *testing.T) {
	t.Parallel()
	var accepted []string
	b := setup(t, filters(t, doLog), func(o *ingest.Options) {
		o.Accepted = func(_ context.Context, events []event.Event) {
			for i := range events {
				accepted = append(accepted, events[i].ID)
			}
		}
	})
	evaluations := []string{
		`{"id":"logged","type":"exposure","doLog":true,"flag":{"key":"dark"}}`,
		`{"id":"not-logged","type":"exposure","doLog":false}`,
		`{"id":"no-word-of-it","type":"exposure"}`,
		`{"id":"null","type":"exposure","doLog":null}`,
		`{"id":"a-text","type":"exposure","doLog":"true"}`,
		`{"id":"a-number","type":"exposure","doLog":1}`,
		`{"id":"another-place","type":"exposure","data":{"doLog":true}}`,
		`{"id":"logged-too","type":"exposure","note":"last","doLog": true }`,
		`{"id":"no-exposure","type":"page","doLog":false}`,
		`["no event"]`,
	}
	resp := b.post("/v1/ingest", "["+strings.Join(evaluations, ",")+"]", "Authorization: Bearer "+webKey)
	if got := text(t, resp); resp.StatusCode != http.StatusOK || !strings.HasPrefix(got, `{"accepted":9,"refused":[{"position":9,`) {
		t.Errorf("status %d: %s; want all but the last accepted", resp.StatusCode, got)
	}
	kept := []string{"logged", "logged-too", "no-exposure"}
	if got := b.queue.ids(t); !slices.Equal(got, kept) || !slices.Equal(accepted, kept) {
		t.Errorf("on the queue are %v, told accepted %v; want %v", got, accepted, kept)
	}
	if got := string(b.queue.events(t)[0].Data); got != evaluations[0] {
		t.Errorf("an exposure that is kept has other bytes: %s", got)
	}
	want := map[string]int{"received": 10, "accepted": 3, "refused": 1, "filtered unequal": 3, "filtered missing": 3}
	if diff := cmp.Diff(want, books(b)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
	if missing := ledger.Unaccounted(b.books.Snapshot()); missing != 0 {
		t.Errorf("%d events are unaccounted for", missing)
	}
}

// An unmodified SDK of another protocol, whose words have no place for a filter.
func TestRowA1_Handler_PostHog_IsAnsweredAsIfAllWereTaken(t *testing.T) {
	t.Parallel()
	b := setup(t, filters(t, `[{ filter: { match: { type: "$feature_flag_called" }, keep_if: { field: properties.doLog, equals: true } } }]`))
	send := func(event, logged string) string {
		return fmt.Sprintf(`{"event":%q,"distinct_id":"u","properties":{"doLog":%s},"timestamp":"2026-03-01T10:00:00Z"}`, event, logged)
	}
	for _, body := range []string{
		send("$feature_flag_called", "false"), send("$feature_flag_called", "true") + "," + send("$feature_flag_called", "false") + "," + send("page", "false"),
	} {
		resp := b.post("/batch", `{"api_key":"phc_demo","batch":[`+body+`]}`)
		if got := text(t, resp); resp.StatusCode != http.StatusOK || got != `{"status":1}` {
			t.Errorf("status %d: %s", resp.StatusCode, got)
		}
	}
	var types []string
	for _, e := range b.queue.events(t) {
		types = append(types, e.Type)
	}
	if want := []string{"$feature_flag_called", "page"}; !slices.Equal(types, want) {
		t.Errorf("on the queue are %v, want %v", types, want)
	}
	if diff := cmp.Diff(map[string]int{"received": 4, "accepted": 2, "filtered unequal": 2}, books(b)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

// When every good event is filtered, the refused ones of a protocol that cannot report them are
// dead letters all the same: the reply says that all was taken.
func TestProcessors_AllFiltered_RefusedItemsAreKept(t *testing.T) {
	t.Parallel()
	b := setup(t, filters(t, `[{ filter: { keep_if: { field: keep, equals: "yes" } } }]`))
	resp := b.post("/batch", `{"api_key":"phc_demo","batch":[{"event":"a","distinct_id":"u"},{"distinct_id":"nameless"}]}`)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", resp.StatusCode, text(t, resp))
	}
	if got := len(b.queue.messages); got != 0 {
		t.Errorf("%d packs on the queue, want none: an empty pack delivers nothing", got)
	}
	if got := len(b.letters.events(t)); got != 1 {
		t.Errorf("%d dead letters, want the item that was refused", got)
	}
	if diff := cmp.Diff(map[string]int{"received": 2, "refused": 1, "filtered missing": 1}, books(b)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

// A request that the queue did not take is not in the books: the client sends it again.
func TestProcessors_QueueAway_NothingIsCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, filters(t, doLog))
	b.queue.err = errors.New("away")
	const body = `[{"id":"1","type":"exposure","doLog":false},{"id":"2","type":"exposure","doLog":true}]`
	if resp := b.post("/v1/ingest", body, "Authorization: Bearer "+webKey); resp.StatusCode != http.StatusServiceUnavailable || len(books(b)) != 0 {
		t.Errorf("status %d with books %v, want 503 and none", resp.StatusCode, books(b))
	}
	b.queue.err = nil
	b.post("/v1/ingest", body, "Authorization: Bearer "+webKey)
	b.post("/v1/ingest", body, "Authorization: Bearer "+webKey)
	packs := b.queue.packs(t)
	if len(packs) != 2 || packs[0].Header.ID != packs[1].Header.ID {
		t.Errorf("the same request again is %+v, want two packs of one id", packs)
	}
}

// Steps run in order: the first that drops an event names the cause.
func TestProcessors_SeveralSteps_RunInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, filters(t, `
  - filter: { match: { type: exposure }, keep_if: { field: doLog, equals: true } }
  - filter: { match: { tenant: acme }, keep_if: { field: env, equals: prod } }
  - filter: { match: { tenant: umbrella }, keep_if: { field: env, equals: test } }`))
	b.post("/v1/ingest", `[{"id":"1","type":"exposure","doLog":true,"env":"prod"},{"id":"2","type":"exposure","doLog":false},{"id":"3","type":"page"},`+
		`{"id":"4","type":"exposure","doLog":true,"env":"test"}]`, "Authorization: Bearer "+webKey)
	b.post("/v1/ingest", `[{"id":"5","type":"page","env":"test"}]`, "Authorization: Bearer "+otherKey)
	if want := []string{"1", "5"}; !slices.Equal(b.queue.ids(t), want) {
		t.Errorf("on the queue are %v, want %v", b.queue.ids(t), want)
	}
	want := map[string]int{"received": 5, "accepted": 2, "filtered unequal": 2, "filtered missing": 1}
	if diff := cmp.Diff(want, books(b)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

// careless is a receiver that does not look at what it takes for an event.
type careless struct{}

func (careless) Name() string { return "careless" }

func (careless) Routes() []receiver.Route {
	return []receiver.Route{{Methods: []string{http.MethodPost}, Path: "/careless"}}
}

func (careless) Decode(r *receiver.Request) (receiver.Decoded, error) {
	return receiver.Decoded{Key: webKey, Positions: []int{0}, Events: []event.Event{{ID: "1", Type: "exposure", Data: r.Body}}}, nil
}

func (careless) Reply(w http.ResponseWriter, _ *receiver.Request, _ receiver.Answer) {
	w.WriteHeader(http.StatusOK)
}

// Data that no receiver should let through is dropped with a count and a warning.
func TestProcessors_UnreadableData_IsCountedAndWarnedAbout(t *testing.T) {
	t.Parallel()
	b := setup(t, filters(t, doLog), func(o *ingest.Options) {
		o.Receivers = append(o.Receivers, careless{})
		o.Keys[0].Receivers = nil
	})
	b.post("/careless", `{"doLog":true`)
	if diff := cmp.Diff(map[string]int{"received": 1, "filtered unreadable": 1}, books(b)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
	if !strings.Contains(b.log.String(), "events filtered because their data cannot be read") {
		t.Errorf("the log does not warn:\n%s", b.log)
	}
}

// Whatever a client sends: what is received is accepted, refused or filtered, and the ids on
// the queue are exactly those of the events to be kept.
func TestProcessors_AnyRequests_BooksBalance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		b := setup(t, filters(t, doLog))
		var want []string
		received := 0
		for request := range rapid.IntRange(1, 3).Draw(r, "requests") {
			var items []string
			for i := range rapid.IntRange(1, 8).Draw(r, "items") {
				id := fmt.Sprintf("%d-%d", request, i)
				kind := rapid.SampledFrom([]string{"exposure", "page"}).Draw(r, "type")
				logged := rapid.SampledFrom([]string{`true`, `false`, `"true"`, `null`, `[true]`}).Draw(r, "doLog")
				switch rapid.IntRange(0, 5).Draw(r, "shape") {
				case 0:
					items = append(items, `"no event"`)
				case 1:
					items = append(items, `{"id":"`+id+`","doLog":true,"doLog":true}`)
				default:
					items = append(items, fmt.Sprintf(`{"id":%q,"type":%q,"doLog":%s}`, id, kind, logged))
					if kind == "page" || logged == "true" {
						want = append(want, id)
					}
				}
			}
			received += len(items)
			b.post("/v1/ingest", "["+strings.Join(items, ",")+"]", "Authorization: Bearer "+webKey)
		}
		lines := counts(b)
		if lines[ledger.Received] != received || ledger.Unaccounted(b.books.Snapshot()) != 0 {
			r.Fatalf("the books say %v of %d items", lines, received)
		}
		if got := b.queue.ids(t); !slices.Equal(got, want) || lines[ledger.Accepted] != len(want) {
			r.Fatalf("on the queue are %v (%d accepted), want %v", got, lines[ledger.Accepted], want)
		}
	})
}

func TestNew_WrongProcessors_AreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := ingest.New(ingest.Options{
		Keys: []config.Key{{Name: "web", SHA256: hash(webKey), Tenant: "acme"}}, Receivers: []receiver.Receiver{careless{}},
		Queue: b.queue, DeadLetters: b.letters, Processors: make([]config.Processor, 2),
	})
	for _, want := range []string{"processors[0]: filter: field: the path is empty", "processors[1]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New: %v, want %q", err, want)
		}
	}
}

// BenchmarkHandler_Processors takes 50 events of 1 KB in one request. Compare the first
// line with BenchmarkHandler.
func BenchmarkHandler_Processors(b *testing.B) {
	for _, bb := range []struct{ name, list string }{
		{"none", `[]`},
		{"one that passes all events", `[{ filter: { match: { type: exposure }, keep_if: { field: doLog, equals: true } } }]`},
		{"one that keeps all events", `[{ filter: { keep_if: { field: properties.flags.beta, equals: false } } }]`},
		{"one that drops all events", `[{ filter: { keep_if: { field: properties.flags.beta, equals: true } } }]`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h := setup(b, filters(b, bb.list), func(o *ingest.Options) { o.Queue = discard{} }).handler
			body := string(genericBody(50))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/v1/ingest", strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+webKey)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("status %d: %s", w.Code, w.Body)
				}
			}
		})
	}
}
