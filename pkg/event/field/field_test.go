package field_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/event/field"
)

func mustParse(t testing.TB, texts ...string) field.Paths {
	t.Helper()
	paths, err := field.ParseAll(texts...)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestPaths_Read_Table(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, data string
		paths      []string
		want       []field.Value
		found      int
	}{
		{"a name at the top", `{"doLog":true}`, []string{"doLog"}, []field.Value{"true"}, 1},
		{"names joined by dots", `{"flag":{"key":"dark"},"subject":{"id":"u1"}}`, []string{"flag.key", "subject.id"}, []field.Value{`"dark`, `"u1`}, 2},
		{"a pointer to a name with a dot", `{"flag.key":"dark","flag":{"key":"no"}}`, []string{"/flag.key"}, []field.Value{`"dark`}, 1},
		{"a pointer to the empty name", `{"":1}`, []string{"/"}, []field.Value{"1"}, 1},
		{"a missing field is the empty text", `{"subject":{}}`, []string{"subject.id"}, []field.Value{field.Missing}, 0},
		{"null is as good as missing", `{"a":null}`, []string{"a"}, []field.Value{field.Missing}, 0},
		{"the empty text is there", `{"a":""}`, []string{"a"}, []field.Value{field.Missing}, 1},
		{"an escape is what it stands for", `{"\u0061":"\u0062"}`, []string{"a"}, []field.Value{`"b`}, 1},
		{"numbers stay as they are written", `{"a":1.0,"b":1}`, []string{"a", "b"}, []field.Value{"1.0", "1"}, 2},
		{"the shorter path wins", `{"a":{"b":1}}`, []string{"a.b", "a"}, []field.Value{field.Missing, `{"b":1}`}, 1},
		{"a path twice", `{"a":1}`, []string{"a", "a"}, []field.Value{"1", "1"}, 2},
		{"no way into a list", `{"a":[{"b":1}]}`, []string{"a.b"}, []field.Value{field.Missing}, 0},
		{"data that is no object", `[1]`, []string{"a"}, []field.Value{field.Missing}, 0},
		{"case matters", `{"DoLog":true}`, []string{"doLog"}, []field.Value{field.Missing}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, found, err := mustParse(t, row.paths...).Read([]byte(row.data))
			if err != nil || found != row.found {
				t.Fatalf("Read(%s) found %d (%v), want %d", row.data, found, err, row.found)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Read(%s) (-want +got):\n%s", row.data, diff)
			}
		})
	}
}

func TestPaths_Read_BrokenData_IsAnError(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		``, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":tru}`, `{"a":1,"a":2}`, `{"x":{"y":1,"y":2},"a":1}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, `{"a":1,}`,
		`{"b":{"c":`, "{\"a\\q\":1}", `{"a":1}x`, `{"a":1}}`, `{"a":1} {"a":2}`, `5 5`,
	} {
		if values, _, err := mustParse(t, "a", "b.c").Read([]byte(data)); err == nil || values != nil {
			t.Errorf("Read(%q) = %q, %v; want an error and nothing else", data, values, err)
		}
	}
}

func TestParse_WrongPaths_AreExplained(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "empty",
		".":                       "empty name",
		"a..b":                    "empty name",
		"a.":                      "empty name",
		"/~2":                     "no JSON Pointer",
		strings.Repeat("a.b", 99): "at most 256 bytes",
	} {
		if _, err := field.ParseAll("ok", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want %q", text, err, want)
		}
	}
	if got := mustParse(t, "/a.b")[0].String(); got != "/a.b" {
		t.Errorf("a path prints as %q", got)
	}
}

func TestValueOf_SaysWhatEventsSay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`true`, `false`, `5`, `1.5`, `"true"`, `"d\u0061rk"`, `""`, `null`, `{"a":1}`} {
		want, _, err := mustParse(t, "f").Read([]byte(`{"f":` + text + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := field.ValueOf(" " + text); err != nil || got != want[0] {
			t.Errorf("ValueOf(%s) = %q (%v), an event says %q", text, got, err, want[0])
		}
	}
	if _, err := field.ValueOf("on"); err == nil {
		t.Error("ValueOf takes what is no JSON")
	}
}

// A model that decodes everything agrees on every path of every object.
func TestPaths_Read_AgreesWithModel(t *testing.T) {
	t.Parallel()
	name := rapid.SampledFrom([]string{"a", "b", "é", `q"t`})
	rapid.Check(t, func(t *rapid.T) {
		object := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "fields") {
			inner := map[string]any{name.Draw(t, "inner name"): rapid.SampledFrom([]any{true, "x", nil, 1.5, []any{}}).Draw(t, "inner")}
			object[name.Draw(t, "name")] = rapid.SampledFrom([]any{false, "y", "", nil, inner}).Draw(t, "value")
		}
		data, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		one, two := name.Draw(t, "step"), name.Draw(t, "end")
		paths, err := field.ParseAll(one + "." + two)
		if err != nil {
			t.Fatal(err)
		}
		values, _, err := paths.Read(data)
		if err != nil {
			t.Fatalf("Read(%s): %v", data, err)
		}
		want := field.Missing
		if inner, ok := object[one].(map[string]any); ok {
			if text, ok := inner[two].(string); ok {
				want = field.Value(`"` + text)
			} else if inner[two] != nil {
				want = field.Value(fmt.Sprint(inner[two]))
			}
		}
		if values[0] != want {
			t.Fatalf("%s of %s says %q, want %q", paths[0], data, values[0], want)
		}
	})
}

// Whatever the bytes: data that encoding/json cannot read is an error here too, and a
// value that was read is what it finds there.
func FuzzPaths_Read(f *testing.F) {
	f.Add([]byte(`{"flag":{"key":"dark"},"subject":{"id":"u1"}}`))
	f.Add([]byte(`{"flag":{"key":null}}`))
	f.Add([]byte(`{"flag":{"key":{"key":1}}}`))
	f.Add([]byte(`{"flag":[`))
	f.Add([]byte(`{"flag":{"key":"\ud800"}}`))
	paths := mustParse(f, "flag.key")
	f.Fuzz(func(t *testing.T, data []byte) {
		values, _, err := paths.Read(data)
		if err != nil {
			return
		}
		var model struct {
			Flag struct {
				Key any `json:"key"`
			} `json:"flag"`
		}
		var kind any
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber() // a number may be larger than any Go has
		if err := decoder.Decode(&kind); err != nil {
			t.Fatalf("%q was read, but is no JSON: %v", data, err)
		}
		text, isText := values[0], strings.HasPrefix(string(values[0]), `"`)
		if isText && json.Unmarshal(data, &model) == nil && model.Flag.Key != string(text[1:]) && !hasOtherCase(kind) {
			t.Errorf("%q says %q, the model %v", data, text, model.Flag.Key)
		}
	})
}

// hasOtherCase says whether encoding/json, which ignores case, would take another member.
func hasOtherCase(v any) bool {
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for name, value := range object {
		if strings.ToLower(name) != name || hasOtherCase(value) {
			return true
		}
	}
	return false
}

func BenchmarkPaths_Read(b *testing.B) {
	data := []byte(`{"doLog":true,"flag":{"key":"dark"},"subject":{"id":"u1","attributes":{"note":"` + strings.Repeat("lorem ipsum ", 70) + `"}},"list":[1,2,3]}`)
	for _, texts := range [][]string{{"doLog"}, {"flag.key", "subject.id"}} {
		b.Run(strings.Join(texts, " "), func(b *testing.B) {
			paths := mustParse(b, texts...)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := paths.Read(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
