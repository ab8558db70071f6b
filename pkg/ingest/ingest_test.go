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
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/receiver"
	"github.com/millrace-dev/millrace/pkg/receiver/generic"
)

const bearer = "Authorization: Bearer " + webKey

func TestHandler_PutsEventsOnTheQueue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	resp := b.post("/v1/ingest", `[{"id":"a","source":"shop","type":"signup"},{"id":"b"}]`, bearer, "Traceparent: "+trace)
	if got := text(t, resp); resp.StatusCode != 200 || got != `{"accepted":2,"refused":[]}` {
		t.Fatalf("reply = %d %s", resp.StatusCode, got)
	}
	packs := b.queue.packs(t)
	if len(packs) != 1 {
		t.Fatalf("%d packs, want 1", len(packs))
	}
	want := []event.Event{
		{ID: "a", Source: "shop", Type: "signup", Kind: "event", Tenant: "acme", Receiver: "generic", Data: []byte(`{"id":"a","source":"shop","type":"signup"}`)},
		{ID: "b", Source: "web", Type: "event", Kind: "event", Tenant: "acme", Receiver: "generic", Data: []byte(`{"id":"b"}`)},
	}
	if diff := cmp.Diff(want, packs[0].Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	h := packs[0].Header
	if h.Tenant != "acme" || h.Receiver != "generic" || h.Trace != trace || !h.First.Equal(arrival()) || !h.Last.Equal(arrival()) || h.Sink != "" {
		t.Errorf("header = %+v", h)
	}
	if diff := cmp.Diff(map[ledger.Counter]int{ledger.Received: 2, ledger.Accepted: 2}, counts(b)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

func TestHandler_ARepeatedRequestIsTheSamePack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const body = `{"api_key":"phc_demo","batch":[{"event":"a","distinct_id":"u","timestamp":"2026-03-01T10:00:00Z"}]}`
	b.post("/batch", body)
	b.post("/batch", body)
	packs := b.queue.packs(t)
	if len(packs) != 2 || packs[0].Header.ID != packs[1].Header.ID {
		t.Errorf("packs = %+v, want two of one id", packs)
	}
}

// TestHandler_BadInput has a row for everything that a client can do wrong: the answer
// is in the protocol's words, and what was good is on the queue.
func TestHandler_BadInput(t *testing.T) {
	t.Parallel()
	zeros := gzipped(t, make([]byte, 30<<20))
	deep := strings.Repeat(`{"a":`, 70) + `1` + strings.Repeat(`}`, 70)
	jsonError := func(code, message string) string {
		return fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message)
	}
	refused := func(accepted, position int, id, cause string) string {
		if id != "" {
			id = fmt.Sprintf(`"id":%q,`, id)
		}
		return fmt.Sprintf(`{"accepted":%d,"refused":[{"position":%d,%s"cause":%q}]}`, accepted, position, id, cause)
	}
	for _, tt := range []struct {
		name, target, body string
		headers            []string
		status             int
		reply              string
		kept               []string // ids on the queue
		letters            int      // events in dead letters
	}{
		{name: "empty body", target: "/v1/ingest", headers: []string{bearer}, status: 400,
			reply: jsonError("malformed", "empty body: send a JSON object, an array of objects, or NDJSON")},
		{name: "empty body, PostHog", target: "/e", status: 400, reply: "empty body"},
		{name: "broken JSON at a byte", target: "/v1/ingest", body: `{"a":1,!}`, headers: []string{bearer}, status: 400,
			reply: jsonError("malformed", "invalid character '!' at start of value at byte 7")},
		{name: "broken JSON at a byte, PostHog", target: "/batch", body: `{"api_key":"phc_demo","batch":[{"event":"a"`, status: 400,
			reply: "unexpected end of JSON at byte 43"},
		{name: "NDJSON with one broken line", target: "/v1/ingest", body: "{\"id\":\"a\"}\n{\"id\":oops}\n{\"id\":\"c\"}\n", headers: []string{bearer}, status: 200,
			reply: refused(2, 1, "", "invalid character 'o' at start of value at byte 17 (/id)"), kept: []string{"a", "c"}},
		{name: "wrong Content-Encoding", target: "/v1/ingest", body: `{"id":"a"}`, headers: []string{bearer, "Content-Encoding: gzip"}, status: 400,
			reply: jsonError("malformed", "body is not gzip as declared: it starts with 7b 22 69 64")},
		{name: "unknown Content-Encoding", target: "/v1/ingest", body: `{"id":"a"}`, headers: []string{bearer, "Content-Encoding: snappy"}, status: 415,
			reply: jsonError("unsupported", `Content-Encoding "snappy" is not supported; accepted are gzip, deflate, zstd, identity`)},
		{name: "double Content-Encoding", target: "/v1/ingest", body: string(gzipped(t, gzipped(t, []byte(`{"id":"a"}`)))), headers: []string{bearer, "Content-Encoding: gzip, gzip"},
			status: 200, reply: `{"accepted":1,"refused":[]}`, kept: []string{"a"}},
		{name: "gzip without a header saying so", target: "/v1/ingest", body: string(gzipped(t, []byte(`{"id":"a"}`))), headers: []string{bearer},
			status: 200, reply: `{"accepted":1,"refused":[]}`, kept: []string{"a"}},
		{name: "a decompression bomb", target: "/v1/ingest", body: string(zeros), headers: []string{bearer, "Content-Encoding: gzip"}, status: 413,
			reply: jsonError("too_large", "body is over the limit of 20971520 bytes after gzip is undone (limit decoded_bytes)")},
		{name: "a decompression bomb, PostHog", target: "/e", body: string(zeros), status: 413,
			reply: "body is over the limit of 20971520 bytes after gzip is undone (limit decoded_bytes)"},
		{name: "body over the limit", target: "/v1/ingest", body: strings.Repeat(" ", 10<<20+1), headers: []string{bearer}, status: 413,
			reply: jsonError("too_large", "body is over the limit of 10485760 bytes (limit body_bytes)")},
		{name: "nesting over the limit", target: "/v1/ingest", body: `[{"id":"a"},` + deep + `]`, headers: []string{bearer}, status: 200,
			reply: refused(1, 1, "", "nested too deep at byte 12: more than 64 levels (limit depth)"), kept: []string{"a"}},
		{name: "duplicate keys", target: "/v1/ingest", body: `[{"id":"a","x":1,"x":2},{"id":"b"}]`, headers: []string{bearer}, status: 200,
			reply: refused(1, 0, "a", "duplicate object member name at byte 17 (/x)"), kept: []string{"b"}},
		{name: "duplicate keys, PostHog", target: "/batch", body: `{"api_key":"phc_demo","batch":[{"event":"a","distinct_id":"u","x":1,"x":2},{"event":"b","distinct_id":"u","uuid":"0195e0a4-3c1b-7c55-9d0e-2f1c8a4b7e01"}]}`,
			status: 200, reply: `{"status":1}`, kept: []string{"0195e0a4-3c1b-7c55-9d0e-2f1c8a4b7e01"}, letters: 1},
		{name: "invalid UTF-8", target: "/v1/ingest", body: "[{\"id\":\"a\",\"x\":\"\xc3\x28\"},{\"id\":\"b\"}]", headers: []string{bearer}, status: 200,
			reply: refused(1, 0, "a", "invalid UTF-8 at byte 16 (/x)"), kept: []string{"b"}},
		{name: "nothing good", target: "/v1/ingest", body: `[7]`, headers: []string{bearer}, status: 400,
			reply: refused(0, 0, "", "not a JSON object at byte 1: it starts with '7'")},
		{name: "nothing good, PostHog", target: "/batch", body: `{"api_key":"phc_demo","batch":[{"event":"a"}]}`, status: 400, reply: "distinct_id is missing"},
		{name: "missing key", target: "/v1/ingest", body: `{}`, status: 401, reply: jsonError("unauthorized", "no write key in the request")},
		{name: "missing key, PostHog", target: "/e", body: `{"event":"a","distinct_id":"u"}`, status: 401, reply: "no write key in the request"},
		{name: "unknown key", target: "/v1/ingest?key=what", body: `{}`, status: 401, reply: jsonError("unauthorized", "unknown write key")},
		{name: "unknown key, PostHog", target: "/e", body: `{"event":"a","distinct_id":"u","api_key":"what"}`, status: 401, reply: "unknown write key"},
		{name: "personal key, PostHog", target: "/e", body: `{"event":"a","distinct_id":"u","api_key":"phx_secret"}`, status: 401,
			reply: "a personal API key (phx_…) cannot send events: use the project token"},
		{name: "disallowed key", target: "/e", body: `{"event":"a","distinct_id":"u","api_key":"generic-only"}`, status: 403, reply: `write key "plain" may not be used with posthog`},
		{name: "event over the limit", target: "/v1/ingest", body: `[{"id":"a","x":"` + strings.Repeat("x", 1<<20) + `"},{"id":"b"}]`, headers: []string{bearer}, status: 200,
			reply: refused(1, 0, "a", "event has 1048593 bytes, over the limit of 1015808 bytes for one event (limit event_bytes)"), kept: []string{"b"}},
		{name: "event over the limit with its fields", target: "/v1/ingest", body: `[{"id":"` + strings.Repeat("x", 600<<10) + `"},{"id":"b"}]`, headers: []string{bearer}, status: 200,
			reply: refused(1, 0, strings.Repeat("x", 80)+"…", "event has 1228865 bytes with its fields, over the limit of 1015808 bytes for one event"), kept: []string{"b"}},
		{name: "an id of 1 MiB", target: "/v1/ingest", body: `[{"id":"` + strings.Repeat("x", 1<<20) + `"},{"id":"b"}]`, headers: []string{bearer}, status: 200,
			reply: refused(1, 0, strings.Repeat("x", 80)+"…", "event has 1048585 bytes, over the limit of 1015808 bytes for one event (limit event_bytes)"), kept: []string{"b"}},
		{name: "ids that differ in case and in Unicode form", target: "/v1/ingest", body: `[{"id":"a"},{"id":"A"},{"id":"` + "\u00e9" + `"},{"id":"` + "e\u0301" + `"}]`, headers: []string{bearer},
			status: 200, reply: `{"accepted":4,"refused":[]}`, kept: []string{"a", "A", "\u00e9", "e\u0301"}},
		{name: "one event over the limit", target: "/v1/ingest", body: `{"id":"a","x":"` + strings.Repeat("x", 1<<20) + `"}`, headers: []string{bearer}, status: 413,
			reply: jsonError("too_large", "event has 1048593 bytes, over the limit of 1015808 bytes for one event (limit event_bytes)")},
		{name: "event over the limit, PostHog", target: "/batch", body: `{"api_key":"phc_demo","batch":[{"event":"` + strings.Repeat("x", 1<<20) + `","distinct_id":"u"},{"event":"b","distinct_id":"u","uuid":"0195e0a4-3c1b-7c55-9d0e-2f1c8a4b7e01"}]}`,
			status: 200, reply: `{"status":1}`, kept: []string{"0195e0a4-3c1b-7c55-9d0e-2f1c8a4b7e01"}, letters: 1},
		{name: "too many events", target: "/v1/ingest", body: "[" + strings.Repeat("{},", 20_000) + "{}]", headers: []string{bearer}, status: 413,
			reply: jsonError("too_large", "more than 20000 events in one request (limit events)")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			resp := b.post(tt.target, tt.body, tt.headers...)
			if got := text(t, resp); resp.StatusCode != tt.status || got != tt.reply {
				t.Errorf("reply = %d %.300s\nwant    %d %.300s", resp.StatusCode, got, tt.status, tt.reply)
			}
			if got := b.queue.ids(t); !slices.Equal(got, tt.kept) {
				t.Errorf("ids on the queue = %q, want %q", got, tt.kept)
			}
			if got := len(b.letters.events(t)); got != tt.letters {
				t.Errorf("%d events in dead letters, want %d", got, tt.letters)
			}
			if left := ledger.Unaccounted(b.books.Snapshot()); left != 0 {
				t.Errorf("%d items unaccounted for", left)
			}
			if log := b.log.String(); strings.Count(log, "\n") > 1 || strings.Contains(log, "phx_secret") || strings.Contains(log, webKey) {
				t.Errorf("log = %q, want at most a line and no key", log)
			}
		})
	}
}

func TestHandler_QueueTroubleIs503(t *testing.T) {
	t.Parallel()
	const bodyWithRefusal = `{"api_key":"phc_demo","batch":[{"event":"a"},{"event":"b","distinct_id":"u"}]}`
	for _, tt := range []struct {
		name, target, body, want string
		breakQueue               func(b *bundle)
	}{
		{"the queue, generic", "/v1/ingest?key=phc_demo", `{}`,
			`{"error":{"code":"unavailable","message":"the queue is not available: send the same request again later"}}`,
			func(b *bundle) { b.queue.err = errors.New("throttled: secret-endpoint") }},
		{"the queue, PostHog", "/e", `{"api_key":"phc_demo","event":"a","distinct_id":"u"}`, "the queue is not available: send the same request again later",
			func(b *bundle) { b.queue.err = errors.New("throttled: secret-endpoint") }},
		{"the dead-letter queue", "/batch", bodyWithRefusal, "the queue is not available: send the same request again later",
			func(b *bundle) { b.letters.err = errors.New("throttled: secret-endpoint") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			tt.breakQueue(b)
			resp := b.post(tt.target, tt.body)
			if got := text(t, resp); resp.StatusCode != 503 || got != tt.want || resp.Header.Get("Retry-After") != "2" {
				t.Errorf("reply = %d %s, Retry-After %q, want 503 %s, 2", resp.StatusCode, got, resp.Header.Get("Retry-After"), tt.want)
			}
			if got := b.queue.ids(t); len(got) != 0 {
				t.Errorf("on the queue: %q, want nothing", got)
			}
			if len(b.books.Snapshot()) != 0 {
				t.Errorf("books = %v, want none: the client comes again", b.books.Snapshot())
			}
			if !strings.Contains(b.log.String(), "secret-endpoint") {
				t.Errorf("log = %q, want the cause", b.log)
			}
		})
	}
}

func TestHandler_DeadlineIs503(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/ingest?key=phc_demo", strings.NewReader(`{}`))
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("reply = %d, Retry-After %q, want 503 with one", w.Code, w.Header().Get("Retry-After"))
	}
}

func TestHandler_AnswersOnlyAfterTheQueue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := httptest.NewRecorder()
	var order []string
	b.letters.before = func() { order = append(order, "letters") }
	b.queue.before = func() {
		order = append(order, "queue")
		if w.Body.Len() != 0 {
			t.Error("answered before the queue did")
		}
	}
	body := `{"api_key":"phc_demo","batch":[{"event":"a"},{"event":"b","distinct_id":"u"}]}`
	b.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/batch", strings.NewReader(body)))
	if want := []string{"letters", "queue"}; w.Code != 200 || !slices.Equal(order, want) {
		t.Errorf("order = %v, status %d, want %v, 200", order, w.Code, want)
	}
}

func TestHandler_RefusedItemsBecomeDeadLetters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	items := []string{
		`{"event":"no user","uuid":"0195e0a4-3c1b-7c55-9d0e-2f1c8a4b7e01"}`,
		`{"event":"dup","event":"dup"}`,
		"{\"event\":\"bytes\",\"x\":\"\xff\"}",
		`{"event":"no user either"}`,
	}
	resp := b.post("/batch", `{"api_key":"phc_demo","batch":[`+strings.Join(items, ",")+`,{"event":"ok","distinct_id":"u"}]}`)
	if resp.StatusCode != 200 {
		t.Fatalf("reply = %d %s", resp.StatusCode, text(t, resp))
	}
	type letter struct {
		Cause string
		Data  []string
	}
	var got []letter
	for _, p := range b.letters.packs(t) {
		l := letter{Cause: p.Header.Reason.Cause}
		for _, e := range p.Events {
			l.Data = append(l.Data, string(e.Data))
			if e.Kind != "refused" || e.Source != "web" || e.Tenant != "acme" || e.ID == "" {
				t.Errorf("event = %+v", e)
			}
		}
		want := &batch.Reason{Class: "permanent", Stop: "refused at ingest", Attempts: 1, First: arrival(), Last: arrival()}
		if diff := cmp.Diff(want, p.Header.Reason, cmpopts.IgnoreFields(batch.Reason{}, "Cause")); diff != "" {
			t.Errorf("reason (-want +got):\n%s", diff)
		}
		if p.Header.Sink != "" || p.Header.Receiver != "posthog" {
			t.Errorf("header = %+v", p.Header)
		}
		if p.Header.Reason.Stop != deadletter.StopRefused || p.Events[0].Kind != deadletter.KindRefused || deadletter.Replayable(&p.Header) {
			t.Errorf("pkg/deadletter takes the letter for something else: %+v", p.Header.Reason)
		}
		got = append(got, l)
	}
	want := []letter{
		{"distinct_id is missing", []string{items[0], items[3]}},
		{"duplicate object member name at byte 112 (/event)", []string{`"{\"event\":\"dup\",\"event\":\"dup\"}"`}},
		{"invalid UTF-8 at byte 149 (/x)", []string{`{"base64":"eyJldmVudCI6ImJ5dGVzIiwieCI6Iv8ifQ=="}`}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[ledger.Counter]int{ledger.Received: 5, ledger.Accepted: 1, ledger.Refused: 4}, counts(b)); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

// A client has a say in the cause of a refusal. Whatever it says, the letter can be sent.
func TestHandler_DeadLettersFitAMessageBody(t *testing.T) {
	t.Parallel()
	for name, item := range map[string]string{
		"a quote that ends in half a character": `{"x":"\ud800` + "1234\u00f6\u00f6" + `"}`,
		"a name of characters that SQS refuses": "{\"\uffff\":{\"\ufffe\":1,\"\ufffe\":2}}",
		"a very long name":                      `{"` + strings.Repeat("ö", 4000) + `":{"x":1,"x":2}}`,
		"control characters in a name":          `{"\u0000\u0001":{"x":1,"x":2}}`,
	} {
		for shift := range 4 { // so that every cut falls inside a character once
			b := setup(t)
			item := strings.Replace(item, "1234", "1234"[shift:], 1)
			resp := b.post("/batch", `{"api_key":"phc_demo","batch":[`+item+`,{"event":"ok","distinct_id":"u"}]}`)
			if resp.StatusCode != 200 || len(b.letters.messages) != 1 {
				t.Fatalf("%s: status %d, %d letters, log %s", name, resp.StatusCode, len(b.letters.messages), b.log)
			}
			body := b.letters.messages[0].Body
			if !utf8.ValidString(body) || strings.ContainsAny(body, "\x00\x01\uFFFE\uFFFF") || len(body) > batch.MaxHeaderBytes {
				t.Errorf("%s: SQS would refuse the body %q", name, body)
			}
		}
	}
}

func TestHandler_DeadLettersAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var items []string
	for i := range 100 { // each with a cause of its own: the byte differs
		items = append(items, fmt.Sprintf(`{"event":"a%d","x":1,"x":1}`, i))
	}
	resp := b.post("/batch", `{"api_key":"phc_demo","batch":[`+strings.Join(items, ",")+`,{"event":"ok","distinct_id":"u"}]}`)
	packs := b.letters.packs(t)
	if resp.StatusCode != 200 || len(packs) != 10 || len(b.letters.events(t)) != 100 {
		t.Fatalf("status %d, %d letters with %d events, want 200, 10, 100", resp.StatusCode, len(packs), len(b.letters.events(t)))
	}
	if cause := packs[9].Header.Reason.Cause; !strings.HasPrefix(cause, "various causes, of which one: duplicate") {
		t.Errorf("last cause = %q", cause)
	}
}

func TestHandler_AHugeRefusedItemLosesItsEnd(t *testing.T) {
	t.Parallel()
	for name, filler := range map[string]string{"text": "x", "escapes": `\"`, "wide characters": "猫", "control characters": "\x01", "no text": "\xff"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			huge := `{"event":"` + strings.Repeat(filler, 2<<20/len(filler)) + `","distinct_id":"u"}`
			resp := b.post("/batch", `{"api_key":"phc_demo","batch":[`+huge+`,{"event":"ok","distinct_id":"u"}]}`)
			letters := b.letters.events(t)
			if resp.StatusCode != 200 || len(letters) != 1 {
				t.Fatalf("status %d, %d letters, want 200, 1", resp.StatusCode, len(letters))
			}
			if n := batch.EncodedSize(&letters[0]); n > batch.MaxEventBytes || n < batch.MaxEventBytes/2 {
				t.Errorf("letter has %d bytes, want as many as fit %d", n, batch.MaxEventBytes)
			}
		})
	}
}

// Every item of a request is accepted or refused, exactly once, whatever it looks like.
func TestHandler_EveryItemHasOneFate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		var items []string
		good := make(map[string]bool)
		for i := range rapid.IntRange(1, 20).Draw(rt, "items") {
			id := fmt.Sprintf("0195e0a4-3c1b-7c55-9d0e-%012x", i)
			ok := fmt.Sprintf(`{"uuid":%q,"id":%q,"event":"e","distinct_id":"u","text":%q}`, id, id, rapid.StringMatching(`[a-z"{}\[\]]*`).Draw(rt, "text"))
			bad := rapid.SampledFrom([]string{`1`, `{"uuid":"x","id":"x","id":"y"}`, `null`, `{"id":}`, "{\"id\":\"\xfe\"}", `[[]]`}).Draw(rt, "bad")
			if rapid.Bool().Draw(rt, "good") {
				good[id] = true
				items = append(items, ok)
			} else {
				items = append(items, bad)
			}
		}
		list := "[" + strings.Join(items, ",") + "]"
		target, body := "/v1/ingest?key=phc_demo", list
		if rapid.Bool().Draw(rt, "posthog") {
			target, body = "/batch", `{"batch":`+list+`,"api_key":"phc_demo"}`
		}
		*b.queue, *b.letters = memory{}, memory{}
		resp := b.post(target, body)
		accepted := b.queue.ids(t)
		if len(accepted) != len(good) || !slices.Equal(sorted(accepted), slices.Compact(sorted(accepted))) {
			rt.Fatalf("accepted %q, want %v", accepted, good)
		}
		for _, id := range accepted {
			if !good[id] {
				rt.Fatalf("accepted %q, which is not good", id)
			}
		}
		reply := text(t, resp)
		refused := strings.Count(reply, `"cause":`) + len(b.letters.events(t))
		if len(good) == 0 && target == "/batch" {
			refused = len(items) // 400 refuses all
		}
		if len(accepted)+refused != len(items) || (len(good) == 0) != (resp.StatusCode == 400) {
			rt.Fatalf("%d accepted, %d refused of %d, reply %d %s", len(accepted), refused, len(items), resp.StatusCode, reply)
		}
	})
	if left := ledger.Unaccounted(b.books.Snapshot()); left != 0 {
		t.Errorf("%d items unaccounted for", left)
	}
}

func TestNew_NamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := ingest.New(ingest.Options{
		Keys:      []config.Key{{Name: "short", SHA256: "abc", Tenant: "t"}, {Name: "lone", SHA256: hash("x")}},
		Receivers: []receiver.Receiver{generic.New(), generic.New()},
	})
	for _, want := range []string{
		"a queue for events and one for dead letters are required", `key "short": sha256 is not 64 hex digits`, `key "lone": no tenant`,
		"path /v1/ingest: answered by generic and by generic",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want it to say %q", err, want)
		}
	}
	if _, err = ingest.New(ingest.Options{}); err == nil || !strings.Contains(err.Error(), "no receivers") || !strings.Contains(err.Error(), "no keys") {
		t.Errorf("error = %v, want no receivers and no keys", err)
	}
}

func TestHandler_IsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *ingest.Options) { o.RetryAfter = time.Second })
	done := make(chan int)
	const requests = 20
	for i := range requests {
		go func() {
			done <- b.post("/v1/ingest?key=phc_demo", fmt.Sprintf(`[{"id":"%d"},7]`, i)).StatusCode
		}()
	}
	for range requests {
		if status := <-done; status != 200 {
			t.Errorf("status = %d, want 200", status)
		}
	}
	if got := len(slices.Compact(sorted(b.queue.ids(t)))); got != requests {
		t.Errorf("%d ids, want %d", got, requests)
	}
}
