package generic_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/uuid/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/receiver"
	"github.com/millrace-dev/millrace/pkg/receiver/generic"
)

func request(body string, headers ...string) *receiver.Request {
	req := &receiver.Request{
		Method: http.MethodPost, Path: "/v1/ingest", Query: url.Values{}, Header: http.Header{},
		Body: []byte(body), Limits: receiver.DefaultLimits(),
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	return req
}

func TestReceiver_Decode_ReadsCloudEventsNames(t *testing.T) {
	t.Parallel()
	body := `{"id":"a1","source":"/shop","type":"com.example.signup","time":"2026-03-01T10:00:00.5Z","subject":"user-7",` +
		`"name":"Signed up","severity":"WARN","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","data":{"id":"inner"}}`
	got, err := generic.New().Decode(request(body))
	if err != nil {
		t.Fatal(err)
	}
	want := receiver.Decoded{Positions: []int{0}, Events: []event.Event{{
		ID: "a1", Source: "/shop", Type: "com.example.signup", Name: "Signed up", Subject: "user-7", Severity: "warn",
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Kind: "event", Time: time.Date(2026, 3, 1, 10, 0, 0, 500_000_000, time.UTC), Data: []byte(body),
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

func TestReceiver_Decode_FillsInWhatIsMissing(t *testing.T) {
	t.Parallel()
	got, err := generic.New().Decode(request(`[{},{"id":7,"type":null,"time":"noon","subject":["x"]},{},{"id":""}]`))
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for _, e := range got.Events {
		id, err := uuid.FromString(e.ID)
		if err != nil || id.Version() != uuid.V7 {
			t.Errorf("id %q is no UUIDv7", e.ID)
		}
		ids[e.ID] = true
		want := event.Event{Type: "event", Kind: "event"}
		if diff := cmp.Diff(want, e, cmpopts.IgnoreFields(event.Event{}, "ID", "Data")); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
	}
	if len(ids) != 4 {
		t.Errorf("%d different ids, want 4: equal events without ids are different events", len(ids))
	}
}

func TestReceiver_Decode_Shapes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body, contentType string
		ids                     []string
		refused                 []int
		err                     string
	}{
		{"one object", `{"id":"a"}`, "", []string{"a"}, nil, ""},
		{"one object on many lines", "{\n  \"id\": \"a\",\n  \"data\": [\n    {\"x\": 1}\n  ]\n}\n", "", []string{"a"}, nil, ""},
		{"an array", ` [{"id":"a"},{"id":"b"}] `, "", []string{"a", "b"}, nil, ""},
		{"an empty array", `[]`, "", nil, nil, ""},
		{"NDJSON without a word about it", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n", "text/plain", []string{"a", "b"}, nil, ""},
		{"NDJSON of one line that says so", "{\"id\":\"a\"}\n", "application/x-ndjson", []string{"a"}, nil, ""},
		{"NDJSON with one broken line", "{\"id\":\"a\"}\n{\"id\":\n{\"id\":\"c\"}", "", []string{"a", "c"}, []int{1}, ""},
		{"JSON lines whose first line is broken", "oops\n{\"id\":\"b\"}", "application/jsonl; charset=utf-8", []string{"b"}, []int{0}, ""},
		{"an array with a bad item", `[{"id":"a"},{"id":"b","id":"c"},"x"]`, "", []string{"a"}, []int{1, 2}, ""},
		{"an empty body", " \n", "", nil, nil, "empty body: send a JSON object, an array of objects, or NDJSON"},
		{"a broken object", `{"id":"a"`, "", nil, nil, "unexpected end of JSON at byte 9"},
		{"two objects on a line", `{"id":"a"}{"id":"b"}`, "", nil, nil, "unexpected '{' after the JSON value at byte 10"},
		{"something after an array", `[{"id":"a"}]]`, "", nil, nil, "unexpected ']' after the JSON value at byte 12"},
		{"a text", `"hello"`, "", nil, nil, `not a JSON object at byte 0: it starts with '"'`},
		{"no JSON", `hello=world`, "", nil, nil, `not a JSON object at byte 0: it starts with 'h'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := generic.New().Decode(request(tt.body, "Content-Type: "+tt.contentType))
			if e, ok := errors.AsType[*receiver.Error](err); ok && e.Message != tt.err || (err == nil) != (tt.err == "") {
				t.Fatalf("error = %v, want %q", err, tt.err)
			}
			if err != nil {
				return
			}
			var ids []string
			for i, e := range got.Events {
				ids = append(ids, e.ID)
				if slices.Contains(tt.refused, got.Positions[i]) {
					t.Errorf("position %d is both accepted and refused", got.Positions[i])
				}
			}
			var refused []int
			for _, r := range got.Refused {
				refused = append(refused, r.Position)
			}
			if !slices.Equal(ids, tt.ids) || !slices.Equal(refused, tt.refused) {
				t.Errorf("accepted %q, refused %v, want %q, %v", ids, refused, tt.ids, tt.refused)
			}
		})
	}
}

func TestReceiver_Decode_FindsTheKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, header, query, want string
	}{
		{"bearer", "Authorization: Bearer k1", "", "k1"},
		{"bearer in any case", "Authorization: bEARER  k1", "", "k1"},
		{"x-api-key", "X-Api-Key: k2", "", "k2"},
		{"query", "", "k3", "k3"},
		{"bearer before query", "Authorization: Bearer k1", "k3", "k1"},
		{"another scheme is no key", "Authorization: Basic k1", "k3", "k3"},
		{"none", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req := request(`{}`, tt.header)
			req.Query.Set("key", tt.query)
			if got, err := generic.New().Decode(req); err != nil || got.Key != tt.want {
				t.Errorf("key = %q, %v, want %q", got.Key, err, tt.want)
			}
		})
	}
}

func TestReceiver_Reply(t *testing.T) {
	t.Parallel()
	refusal := receiver.Refusal{Position: 1, ID: `a"1`, Cause: "because"}
	for _, tt := range []struct {
		name   string
		answer receiver.Answer
		status int
		want   string
	}{
		{"all accepted", receiver.Answer{Decoded: receiver.Decoded{Events: make([]event.Event, 2)}}, 200, `{"accepted":2,"refused":[]}`},
		{"some refused", receiver.Answer{Decoded: receiver.Decoded{Events: make([]event.Event, 1), Refused: []receiver.Refusal{refusal, {Position: 2, Cause: "why"}}}},
			200, `{"accepted":1,"refused":[{"position":1,"id":"a\"1","cause":"because"},{"position":2,"cause":"why"}]}`},
		{"all refused", receiver.Answer{Decoded: receiver.Decoded{Refused: []receiver.Refusal{refusal}}}, 400, `{"accepted":0,"refused":[{"position":1,"id":"a\"1","cause":"because"}]}`},
		{"nothing sent", receiver.Answer{}, 200, `{"accepted":0,"refused":[]}`},
		{"failed", receiver.Answer{Err: receiver.Unauthorized("unknown write key")}, 401, `{"error":{"code":"unauthorized","message":"unknown write key"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			generic.New().Reply(w, request(""), tt.answer)
			if got := strings.TrimSpace(w.Body.String()); w.Code != tt.status || got != tt.want {
				t.Errorf("reply = %d %s, want %d %s", w.Code, got, tt.status, tt.want)
			}
		})
	}
}

func FuzzReceiver_Decode(f *testing.F) {
	f.Add([]byte(`{"id":"a"}`), "")
	f.Add([]byte("{\"id\":\"a\"}\n{\"id\":"), "application/x-ndjson")
	f.Add([]byte(`[{"id":"a"},{"id":"b","id":"c"},[]]`), "application/json")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		req := request(string(body))
		req.Header.Set("Content-Type", contentType)
		got, err := generic.New().Decode(req)
		if err != nil {
			return
		}
		places := slices.Clone(got.Positions)
		for _, r := range got.Refused {
			places = append(places, r.Position)
		}
		slices.Sort(places)
		for want, place := range places {
			if place != want {
				t.Fatalf("places %v: every item must be accepted or refused once", places)
			}
		}
		for _, e := range got.Events {
			if e.ID == "" || e.Type == "" || e.Kind == "" || len(e.Data) == 0 {
				t.Errorf("incomplete event %+v", e)
			}
		}
	})
}
