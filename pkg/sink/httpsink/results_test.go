package httpsink_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
	"github.com/millrace-dev/millrace/pkg/sink/itemresult"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

// The contract, with results per item in the words of two backends.
func TestSink_Contract_ResultsPerItem(t *testing.T) {
	t.Parallel()
	for format, perItem := range map[itemresult.Format]func([]sinktest.Item) sinktest.Step{
		itemresult.Langfuse: langfuseReply, itemresult.Bulk: bulkReply,
	} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			sinktest.RunHTTP(t, sinktest.HTTP{
				Timeout: timeout, PerItem: perItem,
				New: func(t *testing.T, to sinktest.Destination) sink.Sink {
					s, err := httpsink.New(httpsink.Options{
						URL: to.URL, Dial: to.Dial, Timeout: timeout, Results: format, Headers: map[string]string{"Authorization": "Basic cGs6c2s6c2VjcmV0"},
					})
					if err != nil {
						t.Fatal(err)
					}
					return s
				},
			})
		})
	}
}

func langfuseReply(items []sinktest.Item) sinktest.Step {
	reply := map[string][]map[string]any{"successes": {}, "errors": {}}
	for _, i := range items {
		list := "successes"
		if i.Status >= 300 {
			list = "errors"
		}
		reply[list] = append(reply[list], map[string]any{"id": i.ID, "status": i.Status})
	}
	return sinktest.Step{Status: http.StatusMultiStatus, Body: mustJSON(reply)}
}

func bulkReply(items []sinktest.Item) sinktest.Step {
	list := make([]any, len(items))
	for k, i := range items {
		list[k] = map[string]any{"create": map[string]any{"_id": i.ID, "status": i.Status}}
	}
	return sinktest.Step{Body: mustJSON(map[string]any{"took": 1, "items": list})}
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestRowB5_Sink_RetryAfterOfAPartialResultIsHonoured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e0, e1, e2 := sinktest.NewEvent(0), sinktest.NewEvent(1), sinktest.NewEvent(2)
		body := fmt.Sprintf(`{"results":{%q:{"result":"ok"},%q:{"result":"retry","details":"not_persisted"},%q:{"result":"drop"}}}`, e0.ID, e1.ID, e2.ID)
		server := sinktest.NewServer(t, sinktest.ServerOptions{Network: sinktest.Memory, Script: []sinktest.Step{
			{Body: body, Header: http.Header{"Retry-After": {time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat)}}},
		}})
		to := server.Destination()
		s := newSink(t, httpsink.Options{URL: to.URL, Dial: to.Dial, Preset: httpsend.PostHogV1})
		result, err := s.Send(t.Context(), sinktest.NewBatch(e0, e1, e2))
		if err != nil {
			t.Fatal(err)
		}
		want := []sink.Outcome{
			{},
			{Verdict: sink.Retry, Class: retry.Transient, After: 7 * time.Second, Cause: "retry: not_persisted"},
			{Verdict: sink.Rejected, Class: retry.Permanent, Cause: "drop"},
		}
		for i := range want {
			if got := result.Of(i); got != want[i] {
				t.Errorf("event %d: got %+v, want %+v", i, got, want[i])
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
}

// TestRowC3 of the whole sink: 2xx and 409 are accepted, 413 asks for halves, 401 stops.
func TestRowC3_Sink_KaizenReplies(t *testing.T) {
	t.Parallel()
	server := sinktest.NewServer(t, sinktest.ServerOptions{Script: sinktest.Script(t, "202, 409, 413, 429, Retry-After: 9, 401, 422, 503")})
	s := newSink(t, httpsink.Options{URL: server.Destination().URL, Preset: httpsend.Kaizen})
	for i, want := range []sink.Outcome{
		{}, {},
		{Verdict: sink.Rejected, Class: retry.TooLarge, Status: 413},
		{Verdict: sink.Retry, Class: retry.Throttled, Status: 429, After: 9 * time.Second},
		{Verdict: sink.Retry, Class: retry.Setup, Status: 401},
		{Verdict: sink.Rejected, Class: retry.Permanent, Status: 422},
		{Verdict: sink.Retry, Class: retry.Transient, Status: 503},
	} {
		_, err := s.Send(t.Context(), sinktest.NewBatch(sinktest.NewEvent(i)))
		got := sink.OutcomeOf(err, false)
		got.Cause = ""
		if got != want {
			t.Errorf("reply %d: got %+v, want %+v", i, got, want)
		}
	}
}

func TestSink_Send_CausesOfItemsHideSecrets(t *testing.T) {
	t.Parallel()
	e := sinktest.NewEvent(0)
	body := fmt.Sprintf(`{"errors":[{"id":%q,"status":400,"message":"bad key\n k-0123456789"}]}`, e.ID)
	server := sinktest.NewServer(t, sinktest.ServerOptions{Script: []sinktest.Step{{Status: 207, Body: body}}})
	s := newSink(t, httpsink.Options{URL: server.Destination().URL, Preset: httpsend.Langfuse, Headers: map[string]string{"X-Key": "k-0123456789"}})
	result, err := s.Send(t.Context(), sinktest.NewBatch(e))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := result.Of(0).Cause, "bad key [secret]"; got != want {
		t.Errorf("cause is %q, want %q", got, want)
	}
}

func TestSink_Results_FollowThePreset(t *testing.T) {
	t.Parallel()
	e := sinktest.NewEvent(0)
	refusal := sinktest.Step{Status: 207, Body: fmt.Sprintf(`{"errors":[{"id":%q,"status":400}]}`, e.ID)}
	for _, c := range []struct {
		name    string
		options httpsink.Options
		want    sink.Verdict
	}{
		{"those of the preset's backend", httpsink.Options{Preset: httpsend.Langfuse}, sink.Rejected},
		{"none when told so", httpsink.Options{Preset: httpsend.Langfuse, Results: itemresult.None}, sink.Delivered},
		{"of another backend when told so", httpsink.Options{Preset: httpsend.Loki, Results: itemresult.Langfuse}, sink.Rejected},
		{"none without a preset", httpsink.Options{}, sink.Delivered},
		{"none where the backend has none", httpsink.Options{Preset: httpsend.Loki}, sink.Delivered},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := sinktest.NewServer(t, sinktest.ServerOptions{Script: []sinktest.Step{refusal}})
			c.options.URL = server.Destination().URL
			result, err := newSink(t, c.options).Send(t.Context(), sinktest.NewBatch(e))
			if got := result.Of(0).Verdict; err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestNew_UnknownPresetAndResults(t *testing.T) {
	t.Parallel()
	_, err := httpsink.New(httpsink.Options{URL: "http://127.0.0.1:1", Preset: "loky", Results: "xml"})
	for _, want := range []string{`preset: "loky"`, `results: "xml"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New: %v does not say %s", err, want)
		}
	}
}

// A reply that is longer than is read has told what it told: the rest is sent again, and
// so becomes less from attempt to attempt.
func TestSink_Results_LongerThanIsRead(t *testing.T) {
	t.Parallel()
	const n = 3000
	items := make([]sinktest.Item, n)
	b := sinktest.NewBatch(make([]event.Event, n)...)
	for i := range items {
		b.Events[i] = sinktest.NewEvent(i)
		items[i] = sinktest.Item{ID: b.Events[i].ID, Status: 201}
	}
	long := langfuseReply(items)
	long.Body = strings.ReplaceAll(long.Body, `"status"`, `"padding":"`+strings.Repeat("x", 700)+`","status"`)
	server := sinktest.NewServer(t, sinktest.ServerOptions{Script: []sinktest.Step{long}})
	result, err := newSink(t, httpsink.Options{URL: server.Destination().URL, Preset: httpsend.Langfuse}).Send(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[sink.Verdict]int{}
	for i := range b.Events {
		verdicts[result.Of(i).Verdict]++
	}
	if d, r := verdicts[sink.Delivered], verdicts[sink.Retry]; d < n/3 || r < n/3 || d+r != n {
		t.Errorf("outcomes %v, want about half delivered and the rest to be tried again", verdicts)
	}
}
