package dynamodb

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func parsed(t testing.TB, text string) item {
	t.Helper()
	var it item
	if err := json.Unmarshal([]byte(text), &it); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return it
}

func TestCondition_Decides(t *testing.T) {
	t.Parallel()
	there := parsed(t, `{"k":{"B":"YQ=="},"n":{"N":"10"},"s":{"S":"b"},"flag":{"BOOL":true}}`)
	values := parsed(t, `{":ten":{"N":"1e1"},":nine":{"N":"9"},":b":{"S":"b"},":raw":{"B":"YQ=="},":flag":{"BOOL":true}}`)
	tests := []struct {
		name, text string
		there      bool // for the item
		missing    bool // where there is no item
	}{
		{"no condition", ``, true, true},
		{"not there", `attribute_not_exists(k)`, false, true},
		{"there", `attribute_exists ( k )`, true, false},
		{"numbers by value", `n = :ten`, true, false},
		{"numbers in order, not text", `n > :nine`, true, false},
		{"at most", `n<=:ten`, true, false},
		{"at least", `n >= :ten`, true, false},
		{"less", `n < :ten`, false, false},
		{"texts", `s = :b`, true, false},
		{"bytes", `k = :raw`, true, false},
		{"another", `s <> :b`, false, true},
		{"types differ", `s = :ten`, false, false},
		{"types differ, so it is another", `s <> :ten`, true, true},
		{"what cannot be compared", `flag = :flag`, false, false},
		{"or", `attribute_not_exists(k) OR n <= :nine`, false, true},
		{"or takes the second", `attribute_not_exists(k)or n <= :ten`, true, true},
		{"and needs both", `attribute_exists(k) AND n = :nine`, false, false},
		{"and binds closer than or", `attribute_exists(k) OR s = :b AND n = :nine`, true, false},
		{"names may begin with words of the grammar", `order = :ten AND android <> :ten`, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parseCondition(tt.text, values)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.holds(there); got != tt.there {
				t.Errorf("%q of the item is %v, want %v", tt.text, got, tt.there)
			}
			if got := c.holds(nil); got != tt.missing {
				t.Errorf("%q of nothing is %v, want %v", tt.text, got, tt.missing)
			}
		})
	}
}

func TestCondition_NotEmulated_IsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`k`, `k =`, `(k = :v`, `k = :v)`, `k = :unknown`, `#unknown = :v`, `begins_with(k, :v)`, `#k = :v`, `NOT k = :v`, `(k = :v)`, `k = k`, `OR`, `k = :v OR`, `k = :v AND AND k = :v`, `k BETWEEN :v AND :v`, `a.b = :v`, `size(k) > :v`,
		`attribute_exists(k`, `attribute_exists k`, `k = :v extra`, `NOT`, strings.Repeat("(", 5000),
	} {
		_, err := parseCondition(text, item{":v": {kind: "S", data: "v"}})
		refusal, ok := err.(*Error) //nolint:errorlint // it is that type
		if !ok || refusal.Type != "ValidationException" {
			t.Errorf("%.40q: %v, want a ValidationException", text, err)
		}
	}
}

// Whatever the text, parsing ends without a panic, and what is accepted can be joined with other tests.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{
		`attribute_not_exists(k) OR x <= :now`, `h = :h`, `a = :now AND n <> :h OR x > :now`, `((((`, `a<>b`, `OR OR`,
	} {
		f.Add(seed)
	}
	it := parsed(f, `{"k":{"B":"YQ=="},"x":{"N":"10"},"a":{"S":"b"}}`)
	values := parsed(f, `{":now":{"N":"1"},":h":{"S":"b"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCondition(text, values)
		if err != nil || text == "" || len(text) > maxExpressionBytes/2-len(" OR ") {
			return
		}
		for joined, want := range map[string]bool{
			text + " OR " + text:                          c.holds(it),
			text + " OR attribute_exists(k)":              true,
			"attribute_not_exists(k) AND x=:h OR " + text: c.holds(it),
		} {
			if c, err := parseCondition(joined, values); err != nil || c.holds(it) != want {
				t.Errorf("%q: %v, %v; want %v", joined, c.holds(it), err, want)
			}
		}
	})
}

// Whatever the bytes, parsing an item ends without a panic, and what is accepted is accepted again as kept.
func FuzzItem(f *testing.F) {
	for _, seed := range []string{
		`{"k":{"B":"YQ=="},"n":{"N":"-1.5e10"},"l":{"L":[{"S":"x"}]},"m":{"M":{}}}`, `{"k":{}}`, `{"k":{"N":"1e999"}}`, `{"k":{"S":"a","N":"1"}}`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var it, again item
		if json.Unmarshal(data, &it) != nil {
			return
		}
		kept, err := json.Marshal(it)
		if err == nil {
			err = json.Unmarshal(kept, &again)
		}
		if err != nil || len(again) != len(it) {
			t.Errorf("%q was accepted once only: %v", data, err)
		}
		for name, v := range it {
			if order, ok := v.compare(again[name]); ok && order != 0 || v.kind != again[name].kind {
				t.Errorf("%q: %s has changed", data, name)
			}
		}
	})
}
