package itemresult_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/itemresult"
)

const after = 3 * time.Second

func eventsOf(ids ...string) []event.Event {
	events := make([]event.Event, len(ids))
	for i, id := range ids {
		events[i].ID = id
	}
	return events
}

// words says outcomes in short: "delivered", "retry throttled 429", "rejected permanent 400".
func words(t *testing.T, events []event.Event, r sink.Result) []string {
	t.Helper()
	if n := len(r.Outcomes); n != 0 && n != len(events) {
		t.Fatalf("%d outcomes for %d events", n, len(events))
	}
	list := make([]string, len(events))
	for i := range events {
		o := r.Of(i)
		list[i] = o.Verdict.String()
		if o.Verdict == sink.Delivered {
			if o != (sink.Outcome{}) {
				t.Errorf("event %d is delivered and has %+v", i, o)
			}
			continue
		}
		list[i] += " " + string(o.Class)
		if o.Status != 0 {
			list[i] += fmt.Sprint(" ", o.Status)
		}
		if o.Cause == "" {
			t.Errorf("event %d: %s without a cause", i, list[i])
		}
		if want := map[bool]time.Duration{true: after}[o.Verdict == sink.Retry]; o.After != want {
			t.Errorf("event %d: %s after %v, want %v", i, list[i], o.After, want)
		}
	}
	return list
}

const (
	delivered = "delivered"
	missing   = "retry transient"
)

// readable is a table row: a reply to events a, b and c.
type row struct {
	name string
	body string
	want []string
	err  string // part of it, for the debug line
}

func check(t *testing.T, f itemresult.Format, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			events := eventsOf("a", "b", "c")
			result, err := f.Read(events, itemresult.Reply{Body: []byte(row.body), After: after})
			if diff := cmp.Diff(row.want, words(t, events, result)); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if (err != nil) != (row.err != "") || err != nil && !strings.Contains(err.Error(), row.err) {
				t.Errorf("error is %v, want %q", err, row.err)
			}
		})
	}
}

var allDelivered = []string{delivered, delivered, delivered}

func TestRowD2_Langfuse_EachItemHasItsResult(t *testing.T) {
	t.Parallel()
	check(t, itemresult.Langfuse, []row{
		{"no errors is the quiet path", `{"successes":[{"id":"a","status":201},{"id":"b","status":201},{"id":"c","status":201}],"errors":[]}`, allDelivered, ""},
		{
			"errors are per item, whatever their order", `{"errors":[{"id":"c","status":400,"message":"Invalid","error":"x"},{"id":"a","status":429}],"successes":[{"id":"b","status":201}]}`,
			[]string{"retry throttled 429", delivered, "rejected permanent 400"}, "",
		},
		{
			"only 429 and from 500 are tried again", `{"successes":[],"errors":[{"id":"a","status":500},{"id":"b","status":401},{"id":"c","status":404}]}`,
			[]string{"retry transient 500", "rejected permanent 401", "rejected permanent 404"}, "",
		},
		{"an unreadable reply is a delivery", `<html>hello</html>`, allDelivered, "invalid character"},
		{"an empty reply is a delivery", ``, allDelivered, "EOF"},
		{"a reply without any result is a delivery", `{"ok":true}`, allDelivered, "no results"},
		{"a reply that is a list is a delivery", `[1,2]`, allDelivered, "no results"},
		{"fewer results than items", `{"successes":[{"id":"b","status":201}],"errors":[]}`, []string{missing, delivered, missing}, ""},
		{"results for unknown ids", `{"successes":[{"id":"b","status":201},{"id":"x","status":201}],"errors":[{"id":"unknown","status":400}]}`, []string{missing, delivered, missing}, ""},
		{"an id in both lists is tried again", `{"successes":[{"id":"a"},{"id":"b"},{"id":"c"}],"errors":[{"id":"a","status":503}]}`, []string{"retry transient 503", delivered, delivered}, ""},
		{
			"an id that failed in two ways is tried again", `{"successes":[{"id":"b"},{"id":"c"}],"errors":[{"id":"a","status":503},{"id":"a","status":400},{"id":"a","status":429}]}`,
			[]string{"retry transient 503", delivered, delivered}, "",
		},
		{"an error with no status tells nothing", `{"successes":[{"id":"a"},{"id":"b"}],"errors":[{"id":"c","status":"bad"}]}`, []string{delivered, delivered, missing}, ""},
		{"a reply that breaks off has told what it told", `{"successes":[{"id":"a","status":201}],"errors":[{"id":"b","status":400},{"id":"c","sta`, []string{delivered, "rejected permanent 400", missing}, "EOF"},
		{"a reply that breaks off before the first result is a delivery", `{"successes":[{"id":"a`, allDelivered, "EOF"},
		{"other kinds of values are passed over", `{"successes":{"id":"a"},"errors":[7,null,"x",[],{"id":{"a":1},"status":400},{"id":"a","status":400,"message":["no"]}]}`, []string{"rejected permanent 400", missing, missing}, ""},
		{"text after the reply", `{"successes":[{"id":"a"},{"id":"b"},{"id":"c"}]} {}`, allDelivered, "after"},
		{"a member that is too deep", `{"errors":[{"id":"b","status":400}],"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, []string{missing, "rejected permanent 400", missing}, "deeper"},
		{"a member that comes twice", `{"errors":[{"id":"a","status":400}],"errors":[{"id":"b","status":400}],"successes":[{"id":"c"}]}`, []string{"rejected permanent 400", "rejected permanent 400", delivered}, ""},
		{"a message that is no UTF-8", "{\"errors\":[{\"id\":\"a\",\"status\":400,\"message\":\"\xff\"}],\"successes\":[{\"id\":\"b\"},{\"id\":\"c\"}]}", []string{"rejected permanent 400", delivered, delivered}, ""},
	})
}

func TestBulk_EachItemHasItsResult(t *testing.T) {
	t.Parallel()
	check(t, itemresult.Bulk, []row{
		{"all created", `{"took":5,"errors":false,"items":[{"create":{"_id":"a","status":201}},{"create":{"_id":"b","status":201}},{"create":{"_id":"c","status":200}}]}`, allDelivered, ""},
		{
			"a create that is there already is done", `{"errors":true,"items":[{"create":{"_id":"a","status":409,"error":{"type":"version_conflict_engine_exception","reason":"exists"}}},{"create":{"status":201}},{"create":{"status":201}}]}`,
			[]string{delivered, missing, missing}, "", // ids are echoed, so results without one are about nobody
		},
		{
			"results without our ids go by position", `{"errors":true,"items":[{"index":{"_id":"x1","status":201}},{"index":{"_id":"x2","status":429,"error":{"type":"es_rejected_execution_exception"}}},{"index":{"_id":"x3","status":503}}]}`,
			[]string{delivered, "retry throttled 429", "retry transient 503"}, "",
		},
		{
			"anything else is final", `{"errors":true,"items":[{"index":{"status":409}},{"create":{"status":400,"error":"old text"}},{"create":{"status":404,"error":{"type":"index_not_found_exception"}}}]}`,
			[]string{"rejected permanent 409", "rejected permanent 400", "rejected permanent 404"}, "",
		},
		{"fewer results than items", `{"items":[{"create":{"status":201}}]}`, []string{delivered, missing, missing}, ""},
		{"more results than items", `{"items":[{"create":{"status":201}},{"create":{"status":201}},{"create":{"status":201}},{"create":{"status":400}}]}`, allDelivered, ""},
		{"echoed ids go before positions", `{"items":[{"create":{"_id":"c","status":400}},{"create":{"_id":"a","status":201}},{"create":{"_id":"b","status":201}}]}`, []string{delivered, delivered, "rejected permanent 400"}, ""},
		{"results for unknown ids beside echoed ones", `{"items":[{"create":{"_id":"x","status":400}},{"create":{"_id":"b","status":201}},{"create":{"_id":"c","status":201}}]}`, []string{missing, delivered, delivered}, ""},
		{"what is no item does not shift the others", `{"items":[7,{"create":{"status":400}},{"create":{"status":"201"}}]}`, []string{missing, "rejected permanent 400", delivered}, ""},
		{"an unreadable reply is a delivery", `<html>`, allDelivered, "invalid character"},
		{"no items is a delivery", `{"took":1,"items":[]}`, allDelivered, "no results"},
		{"items that are no list are a delivery", `{"items":{"create":{"status":400}}}`, allDelivered, "no results"},
		{"a reply that breaks off has told what it told", `{"items":[{"create":{"status":201}},{"create":{"status":400}},{"cre`, []string{delivered, "rejected permanent 400", missing}, "EOF"},
	})
}

func TestRowB5_PostHog_OnlyRetryIsSentAgain(t *testing.T) {
	t.Parallel()
	check(t, itemresult.PostHog, []row{
		{
			"ok and drop are pruned, retry is sent again", `{"results":{"a":{"result":"ok"},"b":{"result":"retry","details":"not_persisted"},"c":{"result":"drop","details":"missing_distinct_id"}}}`,
			[]string{delivered, "retry transient", "rejected permanent"}, "",
		},
		{"limited and warning have arrived", `{"results":{"a":{"result":"limited"},"b":{"result":"warning"},"c":{"result":"ok"}}}`, allDelivered, ""},
		{"an unknown word is terminal, as for the SDKs", `{"results":{"a":{"result":"queued"},"b":{"result":7},"c":null}}`, allDelivered, ""},
		{"an absent uuid has arrived", `{"results":{"b":{"result":"drop"}}}`, []string{delivered, "rejected permanent", delivered}, ""},
		{"uuids have no case", `{"results":{"A":{"result":"retry"},"B":{"result":"drop"}}}`, []string{"retry transient", "rejected permanent", delivered}, ""},
		{"results for unknown uuids", `{"results":{"x":{"result":"drop"},"c":{"result":"retry"}}}`, []string{delivered, delivered, "retry transient"}, ""},
		{"a uuid that comes twice is tried again", `{"results":{"a":{"result":"retry"},"a":{"result":"ok"},"A":{"result":"drop"}}}`, []string{"retry transient", delivered, delivered}, ""},
		{"no results is a delivery", `{"results":{}}`, allDelivered, ""},
		{"an unreadable reply is a delivery", `{"results"`, allDelivered, "EOF"},
		{"absent from a reply that breaks off is not arrived", `{"results":{"a":{"result":"drop"},"b":{"res`, []string{"rejected permanent", missing, missing}, "EOF"},
	})
}

func TestOTLP_PartialSuccess_IsANumberOnly(t *testing.T) {
	t.Parallel()
	const untold = "untold permanent"
	check(t, itemresult.OTLP, []row{
		{"full success", `{}`, allDelivered, ""},
		{"full success without a body", ``, allDelivered, "EOF"},
		{"log records as a text", `{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"no"}}`, []string{untold, untold, delivered}, ""},
		{"spans as a number", `{"partialSuccess":{"rejectedSpans":1}}`, []string{untold, delivered, delivered}, ""},
		{"data points", `{"partialSuccess":{"errorMessage":"no","rejectedDataPoints":"1"}}`, []string{untold, delivered, delivered}, ""},
		{"more than there are", `{"partialSuccess":{"rejectedSpans":"99999999999"}}`, []string{untold, untold, untold}, ""},
		{"none rejected and a message is a warning", `{"partialSuccess":{"rejectedSpans":"0","errorMessage":"deprecated"}}`, allDelivered, ""},
		{"a negative number", `{"partialSuccess":{"rejectedSpans":"-3"}}`, allDelivered, ""},
		{"something else", `{"partialSuccess":[1]}`, allDelivered, ""},
		{"a reply that breaks off after the number", `{"partialSuccess":{"rejectedSpans":"1"`, []string{untold, delivered, delivered}, "EOF"},
	})
}

func TestNone_ReadsNothing(t *testing.T) {
	t.Parallel()
	check(t, itemresult.None, []row{{"whatever it says", `{"errors":[{"id":"a","status":400}]}`, allDelivered, ""}})
}

func TestFormat_Unknown_IsAnError(t *testing.T) {
	t.Parallel()
	if _, err := itemresult.Format("xml").Read(eventsOf("a"), itemresult.Reply{}); err == nil || itemresult.Format("xml").Valid() {
		t.Errorf("error %v, want one for a format that is not valid", err)
	}
}

func TestRead_HugeBody_IsCut(t *testing.T) {
	t.Parallel()
	body := `{"errors":[{"id":"a","status":400,"message":"` + strings.Repeat("x", 2000) + `"}],"padding":"` + strings.Repeat("y", itemresult.MaxBodyBytes) + `","successes":[{"id":"b"}]}`
	events := eventsOf("a", "b")
	result, err := itemresult.Langfuse.Read(events, itemresult.Reply{Body: []byte(body), After: after})
	if diff := cmp.Diff([]string{"rejected permanent 400", missing}, words(t, events, result)); diff != "" || err == nil {
		t.Errorf("error %v, outcomes (-want +got):\n%s", err, diff)
	}
	if n := len(result.Of(0).Cause); n != itemresult.MaxCauseBytes {
		t.Errorf("the cause has %d bytes, want it capped at %d", n, itemresult.MaxCauseBytes)
	}
}

// FuzzRead: whatever a destination says, there are no outcomes or one per event, each
// makes sense by itself, and only what the formats allow is said.
func FuzzRead(f *testing.F) {
	for _, body := range []string{
		`{"successes":[{"id":"a","status":201}],"errors":[{"id":"b","status":400,"message":"no"}]}`,
		`{"items":[{"create":{"_id":"a","status":409,"error":{"type":"t","reason":"r"}}},{"index":{"status":429}}]}`,
		`{"results":{"a":{"result":"retry","details":"d"},"B":{"result":"drop"}}}`,
		`{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"m"}}`,
		`[[[[`, `{"items":[7`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events := eventsOf("a", "b", "a")
		for _, format := range []itemresult.Format{itemresult.None, itemresult.Langfuse, itemresult.Bulk, itemresult.OTLP, itemresult.PostHog} {
			result, _ := format.Read(events, itemresult.Reply{Body: body, After: after})
			words(t, events, result)
			for i, o := range result.Outcomes {
				final := o.Class == retry.Permanent
				switch {
				case o.Verdict == sink.Untold && format != itemresult.OTLP, len(o.Cause) > itemresult.MaxCauseBytes:
					t.Errorf("%s: outcome %d is %+v", format, i, o)
				case o.Verdict == sink.Rejected && !final, o.Verdict == sink.Retry && final, o.Verdict != sink.Delivered && !o.Class.Valid():
					t.Errorf("%s: outcome %d has the wrong class: %+v", format, i, o)
				}
			}
			if format != itemresult.Bulk && format != itemresult.OTLP && result.Of(0) != result.Of(2) {
				t.Errorf("%s: one id, two outcomes: %+v and %+v", format, result.Of(0), result.Of(2))
			}
		}
	})
}

// BenchmarkRead reads the results of 500 items, one of them refused.
func BenchmarkRead(b *testing.B) {
	events := make([]event.Event, 500)
	items := make([]string, len(events))
	for i := range events {
		events[i].ID = fmt.Sprintf("0195e0a4-3c1b-7c55-9d0e-%012d", i)
		items[i] = fmt.Sprintf(`{"create":{"_index":"events-2026.03.01","_id":%q,"_version":1,"result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":%d,"_primary_term":1,"status":201}}`, events[i].ID, i)
	}
	items[137] = fmt.Sprintf(`{"create":{"_index":"e","_id":%q,"status":400,"error":{"type":"mapper_parsing_exception","reason":"bad"}}}`, events[137].ID)
	body := []byte(`{"took":5,"errors":true,"items":[` + strings.Join(items, ",") + `]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if r, err := itemresult.Bulk.Read(events, itemresult.Reply{Body: body}); err != nil || r.Of(137).Status != 400 {
			b.Fatal(r.Of(137), err)
		}
	}
}
