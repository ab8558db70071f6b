package posthog_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
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

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/receiver"
	"github.com/millrace-dev/millrace/pkg/receiver/posthog"
)

const (
	token = "phc_demo"
	id1   = "0195e0a4-3c1b-7c55-9d0e-2f1c8a4b7e01"
	id2   = "0195e0a4-3c1b-7c55-9d0e-2f1c8a4b7e02"
)

func arrival() time.Time { return time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC) }

// request makes a request for a target such as "/e?compression=gzip".
func request(target string, body []byte, headers ...string) *receiver.Request {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	req := &receiver.Request{
		Method: http.MethodPost, Path: u.Path, Query: u.Query(), Header: http.Header{},
		Body: body, Now: arrival(), Limits: receiver.DefaultLimits(),
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	return req
}

func decode(t testing.TB, body string) receiver.Decoded {
	t.Helper()
	got, err := posthog.New().Decode(request("/batch", []byte(body)))
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return got
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// TestRowB14_EveryEncodingAndTokenPlace decodes one event in every encoding that v0
// knows, with the token in every place it may stand.
func TestRowB14_EveryEncodingAndTokenPlace(t *testing.T) {
	t.Parallel()
	const inside = `"uuid":"` + id1 + `","event":"sign + up","distinct_id":"größe?"`
	places := map[string]string{
		"api_key of a batch":         `{"batch":[{` + inside + `}],"api_key":"phc_demo"}`,
		"token of a batch":           `{"token":"phc_demo","batch":[{` + inside + `}]}`,
		"api_key of an event":        `{"api_key":"phc_demo",` + inside + `}`,
		"token of an event":          `{"token":"phc_demo",` + inside + `}`,
		"$token of an event":         `{` + inside + `,"$token":"phc_demo"}`,
		"token in properties":        `{` + inside + `,"properties":{"a":[1],"token":"phc_demo"}}`,
		"token of events in a list":  `[{` + inside + `,"token":"phc_demo"}]`,
		"properties of a list":       `[{` + inside + `,"properties":{"token":"phc_demo"}}]`,
		"api_key of events in batch": `{"batch":[{` + inside + `,"api_key":"phc_demo"}]}`,
	}
	encodings := map[string]func(t *testing.T, json string) *receiver.Request{
		"plain": func(_ *testing.T, j string) *receiver.Request { return request("/e", []byte(j)) },
		"plain as text": func(_ *testing.T, j string) *receiver.Request {
			return request("/e", []byte(j), "Content-Type: text/plain")
		},
		"plain as form": func(_ *testing.T, j string) *receiver.Request {
			return request("/e", []byte(j), "Content-Type: application/x-www-form-urlencoded")
		},
		"query gzip": func(t *testing.T, j string) *receiver.Request { return request("/e?compression=gzip", gzipped(t, j)) },
		"query gzip-js": func(t *testing.T, j string) *receiver.Request {
			return request("/e?compression=GZIP-JS", gzipped(t, j))
		},
		"gzip undone":  func(_ *testing.T, j string) *receiver.Request { return request("/e?compression=gzip", []byte(j)) },
		"gzip unnamed": func(t *testing.T, j string) *receiver.Request { return request("/e", gzipped(t, j)) },
		"header gzip-js": func(t *testing.T, j string) *receiver.Request {
			return request("/e", gzipped(t, j), "Content-Encoding: gzip-js")
		},
		"query base64": func(_ *testing.T, j string) *receiver.Request {
			return request("/e?compression=base64", []byte(b64([]byte(j))))
		},
		"query b64 without padding": func(_ *testing.T, j string) *receiver.Request {
			return request("/e?compression=b64", []byte(strings.TrimRight(b64([]byte(j)), "=")))
		},
		"url-safe base64": func(_ *testing.T, j string) *receiver.Request {
			return request("/e?compression=base64", []byte(base64.URLEncoding.EncodeToString([]byte(j))))
		},
		"base64 unnamed":         func(_ *testing.T, j string) *receiver.Request { return request("/e", []byte(b64([]byte(j)))) },
		"base64 of gzip unnamed": func(t *testing.T, j string) *receiver.Request { return request("/e", []byte(b64(gzipped(t, j)))) },
		"query lz64": func(_ *testing.T, j string) *receiver.Request {
			return request("/e?compression=lz64", []byte(posthog.LZ64(j)))
		},
		"header lz-string": func(_ *testing.T, j string) *receiver.Request {
			return request("/e", []byte(posthog.LZ64(j)), "Content-Encoding: lz-string")
		},
		"form plain": func(_ *testing.T, j string) *receiver.Request {
			return request("/e", []byte("data="+url.QueryEscape(j)))
		},
		"form base64": func(_ *testing.T, j string) *receiver.Request {
			return request("/e", []byte("data="+url.QueryEscape(b64([]byte(j)))+"&compression=base64"), "Content-Type: application/x-www-form-urlencoded")
		},
		"form base64 with bare plus": func(_ *testing.T, j string) *receiver.Request {
			return request("/e?compression=base64", []byte("data="+b64([]byte(j))))
		},
		"form lz64 with bare plus": func(_ *testing.T, j string) *receiver.Request {
			return request("/e", []byte("compression=lz64&data="+posthog.LZ64(j)), "Content-Type: application/x-www-form-urlencoded; charset=UTF-8")
		},
		"form gzip": func(t *testing.T, j string) *receiver.Request {
			return request("/e", []byte("compression=gzip-js&data="+url.QueryEscape(string(gzipped(t, j)))), "Content-Type: application/x-www-form-urlencoded")
		},
		"query data": func(_ *testing.T, j string) *receiver.Request {
			req := request("/e?data="+url.QueryEscape(b64([]byte(j))), nil)
			req.Method = http.MethodGet
			return req
		},
	}
	for encoding, build := range encodings {
		for place, body := range places {
			t.Run(encoding+"/"+place, func(t *testing.T) {
				t.Parallel()
				got, err := posthog.New().Decode(build(t, body))
				if err != nil || got.Key != token || len(got.Events) != 1 {
					t.Fatalf("Decode = key %q, %d events, %v, want %q, 1, nil", got.Key, len(got.Events), err, token)
				}
				e := got.Events[0]
				if e.ID != id1 || e.Type != "sign + up" || e.Subject != "größe?" || e.Kind != "event" || e.Source != "" {
					t.Errorf("event = %+v", e)
				}
				if !strings.Contains(body, string(e.Data)) {
					t.Errorf("data %q is not in the bytes that were sent", e.Data)
				}
			})
		}
	}
}

func TestRowB14_Routes(t *testing.T) {
	t.Parallel()
	var events, stubs []string
	for _, r := range posthog.New().Routes() {
		if r.Stub != nil {
			stubs = append(stubs, r.Path)
			continue
		}
		events = append(events, r.Path)
		if !slices.Equal(r.Methods, []string{http.MethodPost, http.MethodGet}) {
			t.Errorf("%s takes %v, want POST and GET", r.Path, r.Methods)
		}
	}
	slices.Sort(events)
	slices.Sort(stubs)
	if want := []string{"/batch", "/capture", "/e", "/engage", "/i/v0/e", "/track"}; !slices.Equal(events, want) {
		t.Errorf("event paths = %v, want %v", events, want)
	}
	if want := []string{"/array/{token}/config", "/array/{token}/config.js", "/decide", "/flags", "/flags/definitions"}; !slices.Equal(stubs, want) {
		t.Errorf("stubs = %v, want %v", stubs, want)
	}
}

func TestRowB14_WholeRequestsRefused(t *testing.T) {
	t.Parallel()
	event := func(extra string) string { return `{"event":"a","distinct_id":"u"` + extra + `}` }
	for _, tt := range []struct {
		name, target, body string
		status             int
		want               string
	}{
		{"empty body", "/e", "", 400, "empty body"},
		{"empty form field", "/e", "data=", 400, "empty body"},
		{"empty batch", "/batch", `{"api_key":"phc_demo","batch":[]}`, 400, "no events in the request"},
		{"empty array", "/e", `[]`, 400, "no events in the request"},
		{"broken JSON", "/e", `{"event":`, 400, "unexpected end of JSON at byte 9"},
		{"broken array", "/e", `[{"event":"a"},`, 400, "unexpected end of JSON at byte 15"},
		{"something after it", "/e", event(`,"token":"phc_demo"`) + "x", 400, "unexpected 'x' after the JSON value at byte 50"},
		{"something after an array", "/e", `[` + event(`,"token":"phc_demo"`) + "]]", 400, "unexpected ']' after the JSON value at byte 52"},
		{"no JSON", "/e", "what?", 400, "expected { at byte 0, found 'w'"},
		{"an unknown compression", "/e?compression=rot13", event(""), 400, `compression "rot13" is not supported; accepted are gzip, gzip-js, base64, lz64`},
		{"base64 that is none", "/e?compression=base64", "?!", 400, "body is not base64 as declared: illegal base64 data at input byte 0"},
		{"lz64 that is none", "/e?compression=lz64", "?!", 400, "body is not lz64 as declared: character outside base64"},
		{"lz64 cut off", "/e?compression=lz64", "BYUw", 400, "body is not lz64 as declared: it ends too early"},
		{"gzip cut off", "/e", string([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 1, 2}), 400, "gzip body ends too early"},
		{"no token and no event", "/e", `{"distinct_id":"u"}`, 400, "event has no name: member event is missing"},
		{"personal key", "/e", event(`,"api_key":"phx_secret"`), 401, "a personal API key (phx_…) cannot send events: use the project token"},
		{"personal key beside a batch", "/batch", `{"batch":[` + event("") + `],"api_key":"phx_secret"}`, 401, "a personal API key (phx_…) cannot send events: use the project token"},
		{"two tokens in a list", "/e", `[` + event(`,"token":"phc_a"`) + `,` + event(`,"token":"phc_b"`) + `]`, 401, "two different project tokens in one request"},
		{"two tokens in properties", "/e", `[` + event(`,"properties":{"token":"phc_a"}`) + `,` + event(`,"properties":{"token":"phc_b"}`) + `]`, 401, "two different project tokens in one request"},
		{"two tokens beside a batch", "/batch", `{"batch":[` + event("") + `],"api_key":"phc_a","token":"phc_b"}`, 401, "two different project tokens in one request"},
		{"another token in the batch", "/batch", `{"batch":[` + event(`,"token":"phc_b"`) + `],"api_key":"phc_a"}`, 401, "two different project tokens in one request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := posthog.New().Decode(request(tt.target, []byte(tt.body)))
			e, ok := errors.AsType[*receiver.Error](err)
			if !ok || e.Status != tt.status || e.Message != tt.want {
				t.Errorf("error = %v, want %d %s", err, tt.status, tt.want)
			}
			if ok && strings.Contains(e.Message, "phx_secret") {
				t.Errorf("the message shows the key: %s", e.Message)
			}
		})
	}
}

func TestReceiver_Decode_MissingTokenIsForIngestToRefuse(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"event":"a","distinct_id":"u"}`, `{"event":"a","distinct_id":"u","api_key":""}`, `{"batch":[{"event":"a","distinct_id":"u"}],"api_key":null}`} {
		if got := decode(t, body); got.Key != "" || len(got.Events) != 1 {
			t.Errorf("Decode(%s) = key %q, %d events, want none and 1", body, got.Key, len(got.Events))
		}
	}
	// A user's own property of that name is no token when there is one.
	if got := decode(t, `{"api_key":"phc_demo","batch":[{"event":"a","distinct_id":"u","properties":{"token":"mine"}}]}`); got.Key != token {
		t.Errorf("key = %q, want %q", got.Key, token)
	}
}

func TestReceiver_Decode_RefusesSingleEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, item, id, want string }{
		{"no name", `{"uuid":"` + id2 + `","distinct_id":"u"}`, id2, "event has no name: member event is missing"},
		{"an empty name", `{"event":"","distinct_id":"u"}`, "", "event has no name: member event must be a string that is not empty"},
		{"a name that is no string", `{"event":7,"distinct_id":"u"}`, "", "event has no name: member event must be a string that is not empty"},
		{"no distinct_id", `{"event":"a","distinct_id":null,"properties":{}}`, "", "distinct_id is missing"},
		{"an empty distinct_id", `{"event":"a","distinct_id":""}`, "", "distinct_id is empty"},
		{"a malformed uuid", `{"event":"a","distinct_id":"u","uuid":"0195"}`, "0195", "uuid is malformed"},
		{"a uuid that is no string", `{"event":"a","distinct_id":"u","uuid":7}`, "", "uuid is malformed"},
		{"a duplicate key", `{"event":"a","event":"b","distinct_id":"u"}`, "", "duplicate object member name at byte 104 (/event)"},
		{"no object", `17`, "", "not a JSON object at byte 91: it starts with '1'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			good := `{"uuid":"` + id1 + `","event":"ok","distinct_id":"u"}`
			got := decode(t, `{"batch":[`+good+`,  `+tt.item+`],"api_key":"phc_demo"}`)
			if len(got.Events) != 1 || got.Events[0].ID != id1 || len(got.Refused) != 1 || !got.Unreported {
				t.Fatalf("decoded = %+v, want one event and one unreported refusal", got)
			}
			want := receiver.Refusal{Position: 1, ID: tt.id, Cause: tt.want, Data: []byte(tt.item)}
			if diff := cmp.Diff(want, got.Refused[0]); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReceiver_Decode_DistinctID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, members, want string }{
		{"a string", `"distinct_id":"u"`, "u"},
		{"with a dollar", `"$distinct_id":"u"`, "u"},
		{"null, then with a dollar", `"distinct_id":null,"$distinct_id":"u"`, "u"},
		{"in properties", `"properties":{"distinct_id":"u"}`, "u"},
		{"in properties with a dollar", `"properties":{"$distinct_id":"u"}`, "u"},
		{"beside before inside", `"distinct_id":"u","properties":{"distinct_id":"v"}`, "u"},
		{"a number", `"distinct_id":17`, "17"},
		{"a boolean", `"distinct_id":true`, "true"},
		{"an object", `"distinct_id":{"a":1}`, `{"a":1}`},
		{"200 characters", `"distinct_id":"` + strings.Repeat("ö", 200) + `"`, strings.Repeat("ö", 200)},
		{"201 characters are cut", `"distinct_id":"` + strings.Repeat("ö", 201) + `"`, strings.Repeat("ö", 200)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := decode(t, `{"event":"a","token":"phc_demo",`+tt.members+`}`)
			if len(got.Events) != 1 || got.Events[0].Subject != tt.want {
				t.Errorf("events = %+v, want subject %q", got.Events, tt.want)
			}
		})
	}
}

func TestReceiver_Decode_Identity(t *testing.T) {
	t.Parallel()
	idOf := func(members string) string {
		return decode(t, `{"token":"phc_demo","event":"a","distinct_id":"u"`+members+`}`).Events[0].ID
	}
	if got := idOf(`,"uuid":"` + strings.ToUpper(id1) + `"`); got != id1 {
		t.Errorf("id = %q, want %q: the usual way of writing it", got, id1)
	}
	stamped := `,"timestamp":"2026-03-01T10:00:00Z"`
	if a, b := idOf(stamped), idOf(stamped+`,"uuid":""`); a != b {
		t.Errorf("the same event has ids %q and %q, want one", a, b)
	}
	for name, other := range map[string]string{
		"another time":  decode(t, `{"token":"phc_demo","event":"a","distinct_id":"u","timestamp":"2026-03-01T10:00:01Z"}`).Events[0].ID,
		"another user":  decode(t, `{"token":"phc_demo","event":"a","distinct_id":"v","timestamp":"2026-03-01T10:00:00Z"}`).Events[0].ID,
		"another name":  decode(t, `{"token":"phc_demo","event":"b","distinct_id":"u","timestamp":"2026-03-01T10:00:00Z"}`).Events[0].ID,
		"another token": decode(t, `{"token":"phc_other","event":"a","distinct_id":"u","timestamp":"2026-03-01T10:00:00Z"}`).Events[0].ID,
	} {
		if other == idOf(stamped) {
			t.Errorf("%s has the same id %q", name, other)
		}
	}
	if id := uuid.FromStringOrNil(idOf(stamped)); id.Version() != 8 {
		t.Errorf("hashed id %v has version %d, want 8", id, id.Version())
	}
	// Without a timestamp nothing tells a repeat from the same thing happening again.
	a, b := idOf(""), idOf("")
	if uuid.FromStringOrNil(a).Version() != uuid.V7 || a == b {
		t.Errorf("ids %q and %q, want two UUIDv7", a, b)
	}
}

func TestReceiver_Decode_Time(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, tt := range []struct {
		name, beside, members, query string
		want                         time.Time
	}{
		{"as the event says", "", `"timestamp":"2026-03-01T09:00:00.12Z"`, "", at("2026-03-01T09:00:00.12Z")},
		{"a clock that is right enough", `"sent_at":"2026-03-01T10:00:00Z"`, `"timestamp":"2026-03-01T09:00:00Z"`, "", at("2026-03-01T09:00:00Z")},
		{"a clock an hour behind", `"sent_at":"2026-03-01T09:00:05Z"`, `"timestamp":"2026-03-01T08:30:00Z"`, "", at("2026-03-01T09:30:00Z")},
		{"a clock an hour ahead", `"sent_at":"2026-03-01T11:00:05Z"`, `"timestamp":"2026-03-01T11:00:00Z"`, "", at("2026-03-01T10:00:00Z")},
		{"sent_at in the query", "", `"timestamp":"2026-03-01T08:30:00Z"`, "?_=1772355605000", at("2026-03-01T09:30:00Z")},
		{"a client that vouches for its clock", `"sent_at":"2026-03-01T09:00:05Z"`, `"timestamp":"2026-03-01T08:30:00Z","properties":{"$ignore_sent_at":true}`, "", at("2026-03-01T08:30:00Z")},
		{"an offset", "", `"offset":5000`, "", at("2026-03-01T10:00:00Z")},
		{"a timestamp before an offset", "", `"offset":5000,"timestamp":"2026-03-01T09:00:00Z"`, "", at("2026-03-01T09:00:00Z")},
		{"an absurd offset", "", `"offset":9223372036854775807`, "", time.Time{}},
		{"an offset that is no number", "", `"offset":"5000"`, "", time.Time{}},
		{"nothing", `"sent_at":"2026-03-01T09:00:05Z"`, `"timestamp":null`, "?_=now", time.Time{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			beside := tt.beside
			if beside != "" {
				beside += ","
			}
			body := `{` + beside + `"api_key":"phc_demo","batch":[{"event":"a","distinct_id":"u",` + tt.members + `}]}`
			got, err := posthog.New().Decode(request("/batch"+tt.query, []byte(body)))
			if err != nil || len(got.Events) != 1 || !got.Events[0].Time.Equal(tt.want) {
				t.Errorf("Decode = %+v, %v, want time %v", got.Events, err, tt.want)
			}
		})
	}
}

func TestReceiver_Decode_BatchesHistoryApart(t *testing.T) {
	t.Parallel()
	const batch = `"api_key":"phc_demo","batch":[{"event":"a","distinct_id":"u"},{"event":"b","distinct_id":"u"}]`
	for members, want := range map[string]string{
		`,"historical_migration":true`: `{"historical_migration":true}`, `,"historical_migration":false`: "", "": "", `,"historical_migration":"true"`: "",
	} {
		for _, e := range decode(t, `{`+batch+members+`}`).Events {
			if e.Group != want {
				t.Errorf("%s: group = %q, want %q", members, e.Group, want)
			}
		}
	}
}

func TestReceiver_Decode_EngageNeedsNoName(t *testing.T) {
	t.Parallel()
	got, err := posthog.New().Decode(request("/engage", []byte(`{"$token":"phc_demo","$distinct_id":"u","$set":{"a":1}}`)))
	if err != nil || len(got.Events) != 1 || got.Events[0].Type != "$identify" || got.Key != token {
		t.Errorf("Decode = %+v, %v, want an event of type $identify", got, err)
	}
}

func TestReceiver_Decode_FormWithoutData(t *testing.T) {
	t.Parallel()
	_, err := posthog.New().Decode(request("/e", []byte("event=a"), "Content-Type: application/x-www-form-urlencoded"))
	if e, ok := errors.AsType[*receiver.Error](err); !ok || e.Status != 400 || e.Message != "form body has no data= field" {
		t.Errorf("error = %v, want 400 form body has no data= field", err)
	}
}

func TestReceiver_Decode_LimitsOfInnerEncodings(t *testing.T) {
	t.Parallel()
	big := `{"event":"` + strings.Repeat("a", 100_000) + `"}`
	for name, req := range map[string]*receiver.Request{
		"gzip":           request("/e?compression=gzip", gzipped(t, big)),
		"base64 of gzip": request("/e", []byte(b64(gzipped(t, big)))),
		"lz64":           request("/e?compression=lz64", []byte(posthog.LZ64(big))),
	} {
		req.Limits.DecodedBytes = 10_000
		_, err := posthog.New().Decode(req)
		if e, ok := errors.AsType[*receiver.Error](err); !ok || e.Status != http.StatusRequestEntityTooLarge || !strings.Contains(e.Message, "limit decoded_bytes") {
			t.Errorf("%s: error = %v, want 413 naming decoded_bytes", name, err)
		}
	}
}

func TestRowB14_Replies(t *testing.T) {
	t.Parallel()
	good := receiver.Decoded{Events: make([]event.Event, 1), Refused: []receiver.Refusal{{Cause: "unreported"}}}
	for _, tt := range []struct {
		name, target string
		answer       receiver.Answer
		status       int
		contentType  string
		want         string
		retryAfter   string
	}{
		{"taken", "/e", receiver.Answer{Decoded: good}, 200, "application/json", `{"status":1}`, ""},
		{"a beacon", "/e?beacon=1", receiver.Answer{Decoded: good}, 204, "", "", ""},
		{"a beacon that failed", "/e?beacon=1", receiver.Answer{Err: receiver.Malformed("empty body")}, 400, "text/plain; charset=utf-8", "empty body", ""},
		{"nothing good", "/e", receiver.Answer{Decoded: receiver.Decoded{Refused: []receiver.Refusal{{Cause: "distinct_id is missing"}}}}, 400, "text/plain; charset=utf-8", "distinct_id is missing", ""},
		{"unauthorized", "/e", receiver.Answer{Err: receiver.Unauthorized("unknown write key")}, 401, "text/plain; charset=utf-8", "unknown write key", ""},
		{"the queue is away", "/e", receiver.Answer{Decoded: good, Err: receiver.Unavailable(2*time.Second, "later")}, 503, "text/plain; charset=utf-8", "later", "2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			posthog.New().Reply(w, request(tt.target, nil), tt.answer)
			if w.Code != tt.status || w.Header().Get("Content-Type") != tt.contentType || w.Body.String() != tt.want || w.Header().Get("Retry-After") != tt.retryAfter {
				t.Errorf("reply = %d %q %q, Retry-After %q, want %d %q %q, %q", w.Code, w.Header().Get("Content-Type"), w.Body, w.Header().Get("Retry-After"), tt.status, tt.contentType, tt.want, tt.retryAfter)
			}
		})
	}
}

func TestRowB14_Stubs(t *testing.T) {
	t.Parallel()
	stub := make(map[string]http.HandlerFunc)
	for _, r := range posthog.New().Routes() {
		stub[r.Path] = r.Stub
	}
	for _, tt := range []struct{ path, prefix string }{
		{"/flags", `{"flags":{},"featureFlags":{},"featureFlagPayloads":{},"errorsWhileComputingFlags":false,"requestId":"`},
		{"/decide", `{"flags":{},"featureFlags":{},"featureFlagPayloads":{},"errorsWhileComputingFlags":false,"requestId":"`},
		{"/array/{token}/config", `{"supportedCompression":["gzip","gzip-js"],"hasFeatureFlags":false,"sessionRecording":false}`},
		{"/array/{token}/config.js", ``},
		{"/flags/definitions", `{"flags":[],"group_type_mapping":{},"cohorts":{}}`},
	} {
		w := httptest.NewRecorder()
		stub[tt.path](w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), tt.prefix) {
			t.Errorf("%s = %d %s, want 200 %s…", tt.path, w.Code, w.Body, tt.prefix)
		}
	}
	w := httptest.NewRecorder()
	again := httptest.NewRequest(http.MethodGet, "/flags/definitions", nil)
	again.Header.Set("If-None-Match", `"none"`)
	stub["/flags/definitions"](w, again)
	if w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("definitions with its ETag = %d %s, want 304", w.Code, w.Body)
	}
}

func FuzzReceiver_Decode(f *testing.F) {
	f.Add([]byte(`{"api_key":"phc_demo","batch":[{"event":"a","distinct_id":"u","timestamp":"2026-03-01T10:00:00Z"},{"event":1}]}`), "/batch", "")
	f.Add([]byte(`[{"event":"a","properties":{"token":"phc_demo","distinct_id":7}}]`), "/e", "base64")
	f.Add([]byte("data="+url.QueryEscape(posthog.LZ64(`{"event":"a"}`))), "/engage", "lz64")
	f.Add([]byte(b64(gzipped(f, `{"event":"a"}`))), "/track", "")
	f.Fuzz(func(t *testing.T, body []byte, path, compression string) {
		req := request("/e", body)
		req.Path = path
		req.Query.Set("compression", compression)
		req.Limits.DecodedBytes = 1 << 16
		got, err := posthog.New().Decode(req)
		if err != nil {
			if e, ok := errors.AsType[*receiver.Error](err); !ok || e.Status < 400 || e.Status > 499 {
				t.Errorf("error = %#v, want a *receiver.Error that blames the request", err)
			}
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
			if e.ID == "" || e.Type == "" || e.Subject == "" || len(e.Data) == 0 {
				t.Errorf("incomplete event %+v", e)
			}
		}
	})
}
