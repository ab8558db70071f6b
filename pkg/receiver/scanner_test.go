package receiver_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// limits are small, so that tests reach them.
func limits() receiver.Limits {
	return receiver.Limits{BodyBytes: 1 << 20, DecodedBytes: 1 << 20, EventBytes: 200, Events: 5, Depth: 4}
}

// seen is what became of one item.
type seen struct {
	ID, Data, Err string
}

func record(items *[]seen) func(*receiver.Item) {
	return func(item *receiver.Item) {
		if item.Position != len(*items) {
			*items = append(*items, seen{Err: fmt.Sprintf("position %d at place %d", item.Position, len(*items))})
			return
		}
		s := seen{Data: string(item.Data)}
		s.ID, _ = receiver.Text(item.Values[0])
		if item.Err != nil {
			s.Err = item.Err.Message
		}
		*items = append(*items, s)
	}
}

func TestScanner_Array_KeepsTheRestOfABatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       []seen
		err        string
	}{
		{"an empty array", ` [ ] `, nil, ""},
		{"good items with space around", " [ {\"id\":\"a\"} ,\n{\"id\":\"b\"}\t]\n", []seen{{ID: "a", Data: `{"id":"a"}`}, {ID: "b", Data: `{"id":"b"}`}}, ""},
		{"an escaped member name is the same name", `[{"\u0069d":"a\n"}]`, []seen{{ID: "a\n", Data: `{"\u0069d":"a\n"}`}}, ""},
		{"a duplicate key", `[{"id":"a"},{"id":"b","x":1,"x":2},{"id":"c"}]`, []seen{
			{ID: "a", Data: `{"id":"a"}`},
			{ID: "b", Data: `{"id":"b","x":1,"x":2}`, Err: "duplicate object member name at byte 28 (/x)"},
			{ID: "c", Data: `{"id":"c"}`},
		}, ""},
		{"invalid UTF-8", "[{\"id\":\"a\",\"x\":\"\xff\"},{\"id\":\"b\"}]", []seen{
			{ID: "a", Data: "{\"id\":\"a\",\"x\":\"\xff\"}", Err: "invalid UTF-8 at byte 16 (/x)"},
			{ID: "b", Data: `{"id":"b"}`},
		}, ""},
		{"a lone surrogate", `[{"x":"\ud800"},{"id":"b"}]`, []seen{
			{Data: `{"x":"\ud800"}`, Err: "invalid surrogate pair `\\ud800\""},
			{ID: "b", Data: `{"id":"b"}`},
		}, ""},
		{"items that are no objects", `[1, "a,]}\"", null, [{}], {"id":"b"}]`, []seen{
			{Data: `1`, Err: `not a JSON object at byte 1: it starts with '1'`},
			{Data: `"a,]}\""`, Err: `not a JSON object at byte 4: it starts with '"'`},
			{Data: `null`, Err: `not a JSON object at byte 14: it starts with 'n'`},
			{Data: `[{}]`, Err: `not a JSON object at byte 20: it starts with '['`},
			{ID: "b", Data: `{"id":"b"}`},
		}, ""},
		{"a broken literal inside an item", `[{"x":tru},{"id":"b"}]`, []seen{
			{Data: `{"x":tru}`, Err: "invalid character '}' in literal true (expecting 'e') at byte 9 (/x)"},
			{ID: "b", Data: `{"id":"b"}`},
		}, ""},
		{"nesting over the limit", `[{"x":[[[[1]]]]},{"x":"[[[[[[{{{"},{"id":"b"}]`, []seen{
			{Data: `{"x":[[[[1]]]]}`, Err: "nested too deep at byte 1: more than 4 levels (limit depth)"},
			{Data: `{"x":"[[[[[[{{{"}`},
			{ID: "b", Data: `{"id":"b"}`},
		}, ""},
		{"nesting over what the decoder can do", `[{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `},{"id":"b"}]`, []seen{
			{Data: `{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, Err: "exceeded max depth"},
			{ID: "b", Data: `{"id":"b"}`},
		}, ""},
		{"an item over the size limit", `[{"id":"a","x":"` + strings.Repeat("x", 200) + `"},{"id":"b"}]`, []seen{
			{ID: "a", Data: `{"id":"a","x":"` + strings.Repeat("x", 200) + `"}`, Err: "event has 217 bytes, over the limit of 200 bytes for one event (limit event_bytes)"},
			{ID: "b", Data: `{"id":"b"}`},
		}, ""},
		{"a cut off array", `[{"id":"a"},{"id":"b"`, []seen{{ID: "a", Data: `{"id":"a"}`}}, "unexpected end of JSON at byte 21"},
		{"a cut off string", `[{"id":"a"},{"id":"b`, []seen{{ID: "a", Data: `{"id":"a"}`}}, "unexpected end of JSON at byte 20"},
		{"a missing comma", `[{"id":"a"}{"id":"b"}]`, []seen{{ID: "a", Data: `{"id":"a"}`}}, "expected , or ] at byte 11, found '{'"},
		{"no array", `{}`, nil, "expected [ at byte 0, found '{'"},
		{"a trailing comma", `[{"id":"a"},]`, []seen{{ID: "a", Data: `{"id":"a"}`}}, "not a JSON object at byte 12: it starts with ']'"},
		{"too many items", `[{},{},{},{},{},{}]`, []seen{{Data: "{}"}, {Data: "{}"}, {Data: "{}"}, {Data: "{}"}, {Data: "{}"}}, "more than 5 events in one request (limit events)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []seen
			err := receiver.NewScanner([]byte(tt.body), limits()).Array(receiver.Fields{"id"}, record(&got))
			prefix := cmp.Comparer(func(a, b seen) bool { // a decoder's message may say more
				return a.ID == b.ID && a.Data == b.Data && (a.Err == b.Err || (a.Err != "" && b.Err != "" && (strings.HasPrefix(a.Err, b.Err) || strings.HasPrefix(b.Err, a.Err))))
			})
			if diff := cmp.Diff(tt.want, got, prefix); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			checkErr(t, err, tt.err)
		})
	}
}

func checkErr(t *testing.T, err error, want string) {
	t.Helper()
	switch e, ok := errors.AsType[*receiver.Error](err); {
	case err == nil && want == "":
	case err == nil:
		t.Errorf("no error, want %q", want)
	case !ok:
		t.Errorf("error is a %T, want *receiver.Error", err)
	case e.Message != want:
		t.Errorf("error = %q, want %q", e.Message, want)
	}
}

func TestLines_KeepGoodLines(t *testing.T) {
	t.Parallel()
	body := "{\"id\":\"a\"}\r\n\n  {\"id\":\"b\"} \n{\"id\":\"c\n{\"id\":\"d\"} {}\n{\"id\":\"e\"}"
	var got []seen
	err := receiver.Lines([]byte(body), receiver.Fields{"id"}, limits(), record(&got))
	checkErr(t, err, "")
	want := []seen{
		{ID: "a", Data: `{"id":"a"}`},
		{ID: "b", Data: `{"id":"b"}`},
		{Data: `{"id":"c`, Err: "unexpected end of JSON at byte 35"},
		{ID: "d", Data: `{"id":"d"} {}`, Err: "unexpected '{' after the JSON value at byte 47"},
		{ID: "e", Data: `{"id":"e"}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	err = receiver.Lines([]byte(strings.Repeat("{}\n", 6)), receiver.Fields{"id"}, limits(), func(*receiver.Item) {})
	checkErr(t, err, "more than 5 events in one request (limit events)")
}

func TestScanner_One(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, err string }{
		{"an object", ` {"id":"a"} `, ""},
		{"broken JSON", `{"id":,}`, "invalid character ',' at start of value at byte 6 (/id)"},
		{"something after it", `{"id":"a"} x`, "unexpected 'x' after the JSON value at byte 11"},
		{"a number", `12`, "not a JSON object at byte 0: it starts with '1'"},
		{"nothing", ` `, "unexpected end of JSON at byte 1"},
		{"too large", `{"id":"` + strings.Repeat("a", 300) + `"}`, "event has 309 bytes, over the limit of 200 bytes for one event (limit event_bytes)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []seen
			err := receiver.NewScanner([]byte(tt.body), limits()).One(receiver.Fields{"id"}, record(&got))
			if tt.err == "" && len(got) != 1 {
				t.Errorf("took %d items, want 1", len(got))
			}
			if e, ok := errors.AsType[*receiver.Error](err); ok && strings.HasPrefix(e.Message, tt.err) && tt.err != "" {
				return
			}
			checkErr(t, err, tt.err)
		})
	}
}

func TestScanner_Envelope_ReadsMembersInAnyOrder(t *testing.T) {
	t.Parallel()
	shape := &receiver.Envelope{Fields: receiver.Fields{"key", "sent"}, List: "batch", ItemFields: receiver.Fields{"id"}}
	for _, tt := range []struct {
		name, body string
		key        string
		items      int
		found      bool
		err        string
	}{
		{"key last", `{"batch":[{"id":"a"},{"id":"b"}],"other":{"x":[1]},"key":"k"}`, "k", 2, true, ""},
		{"key first", ` { "key" : "k" , "batch" : [ ] } `, "k", 0, true, ""},
		{"no list", `{"key":"k"}`, "k", 0, false, ""},
		{"an empty object", `{}`, "", 0, false, ""},
		{"a list that is none", `{"batch":null,"key":"k"}`, "k", 0, false, ""},
		{"a duplicate member", `{"key":"k","key":"l"}`, "", 0, false, `duplicate object member name "key" at byte 11`},
		{"a duplicate list", `{"batch":[],"batch":[]}`, "", 0, true, `duplicate object member name "batch" at byte 12`},
		{"no colon", `{"key" "k"}`, "", 0, false, `expected : at byte 7, found '"'`},
		{"no name", `{1:2}`, "", 0, false, `expected a member name at byte 1, found '1'`},
		{"a broken value", `{"key":nul}`, "", 0, false, "invalid character '}' in literal null (expecting 'l') at byte 10"},
		{"no comma", `{"key":"k" "x":1}`, "", 0, false, `expected , or } at byte 11, found '"'`},
		{"cut off", `{"key":"k"`, "", 0, false, "unexpected end of JSON at byte 10"},
		{"a deep member", `{"key":[[[[[1]]]]]}`, "", 0, false, "nested too deep at byte 7: more than 4 levels (limit depth)"},
		{"no object", `[]`, "", 0, false, "expected { at byte 0, found '['"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			values := make([]jsontext.Value, 2)
			items := 0
			object, found, err := receiver.NewScanner([]byte(tt.body), limits()).Envelope(shape, values, func(*receiver.Item) { items++ })
			checkErr(t, err, tt.err)
			if err != nil {
				return
			}
			key, _ := receiver.Text(values[0])
			if key != tt.key || items != tt.items || found != tt.found {
				t.Errorf("key %q, items %d, found %v, want %q, %d, %v", key, items, found, tt.key, tt.items, tt.found)
			}
			if want := strings.TrimSpace(tt.body); string(object) != want {
				t.Errorf("object = %q, want %q", object, want)
			}
		})
	}
}

func TestPick_ReadsAnObjectInside(t *testing.T) {
	t.Parallel()
	values := make([]jsontext.Value, 2)
	if !receiver.Pick(jsontext.Value(`{"x":{"a":1},"a":"one"}`), receiver.Fields{"a", "b"}, values) {
		t.Fatal("Pick = false, want true")
	}
	if got := string(values[0]); got != `"one"` || values[1] != nil {
		t.Errorf("values = %q, want [\"one\" nil]", values)
	}
	for _, other := range []string{``, `[]`, `"a"`, `null`} {
		if receiver.Pick(jsontext.Value(other), receiver.Fields{"a", "b"}, values) {
			t.Errorf("Pick(%q) = true, want false", other)
		}
	}
}

// Whatever is done to one item of an array, the others arrive as they were, unless the
// request is refused as a whole.
func TestScanner_Array_DamageStaysWithinAnItem(t *testing.T) {
	t.Parallel()
	wide := limits()
	wide.Events, wide.EventBytes = 100, 1<<20
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "items")
		bad := rapid.IntRange(0, n-1).Draw(t, "bad")
		damage := rapid.SampledFrom([]string{`{"id":"a","id":"b"}`, "{\"id\":\"\x80\"}", `{"id":}`, `{"id":01}`, `7`, `[]`, `{"a":[}]`, `{"id":"\x"}`}).Draw(t, "damage")
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(`{"id":"%d","text":%q}`, i, rapid.StringMatching(`[a-z{}\[\],]*`).Draw(t, "text"))
		}
		whole := slices.Clone(items)
		items[bad] = damage
		var good []string
		err := receiver.NewScanner([]byte("["+strings.Join(items, ",")+"]"), wide).Array(receiver.Fields{"id"}, func(item *receiver.Item) {
			switch {
			case item.Err == nil:
				good = append(good, string(item.Data))
			case item.Position != bad || string(item.Data) != damage:
				t.Fatalf("item %d refused with data %q, want item %d, %q", item.Position, item.Data, bad, damage)
			}
		})
		want := slices.Delete(whole, bad, bad+1)
		if err != nil || !slices.Equal(good, want) {
			t.Fatalf("kept %q, error %v, want %q", good, err, want)
		}
	})
}

func FuzzScanner(f *testing.F) {
	for _, seed := range []string{`[{"id":"a"},{"id":1,"id":2},[}]`, "{\"id\":\"a\"}\n{\"id\":\"b", `{"batch":[{"id":"\ud800"}],"key":"k"}`, `[[[[[[]]]]]]`, "[{\"a\":\"\\\\\"},{\"b\":\"\xff\"}]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		l := limits()
		l.EventBytes = 1 << 20
		before := bytes.Clone(body)
		take := func(item *receiver.Item) {
			if !bytes.Contains(body, item.Data) {
				t.Errorf("item %q is not part of the body", item.Data)
			}
			if item.Err == nil && (!jsontext.Value(item.Data).IsValid() || item.Data[0] != '{') {
				t.Errorf("took %q, which is no valid object", item.Data)
			}
			if item.Err != nil && item.Err.Message == "" {
				t.Error("refused without a cause")
			}
			for _, v := range item.Values {
				receiver.Text(v)
			}
		}
		_ = receiver.NewScanner(body, l).Array(receiver.Fields{"id"}, take)
		_ = receiver.Lines(body, receiver.Fields{"id"}, l, take)
		s := receiver.NewScanner(body, l)
		values := make([]jsontext.Value, 1)
		object, _, err := s.Envelope(&receiver.Envelope{Fields: receiver.Fields{"key"}, List: "batch", ItemFields: receiver.Fields{"id"}}, values, take)
		if err == nil && len(object) == 0 {
			t.Error("an envelope of no bytes")
		}
		if !bytes.Equal(before, body) {
			t.Error("the body was changed")
		}
	})
}
