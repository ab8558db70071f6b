package pattern_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/internal/localaws/esm/pattern"
)

func parse(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) pattern.Pattern {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return p
}

// The rows are the table of "Filter rule syntax" in the Lambda developer guide, and what it says around it.
func TestPattern_Matches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, pattern string
		yes, no       []string
	}{
		{"null", `{"UserID":[null]}`, []string{`{"UserID":null}`}, []string{`{"UserID":"null"}`, `{}`, `{"UserID":0}`}},
		{"empty", `{"LastName":[""]}`, []string{`{"LastName":""}`}, []string{`{"LastName":" "}`, `{"LastName":null}`, `{}`}},
		{"equals", `{"Name":["Alice"]}`, []string{`{"Name":"Alice"}`, `{"Name":"\u0041lice","x":1}`}, []string{`{"Name":"alice"}`, `{"name":"Alice"}`, `[]`}},
		{"equals, ignoring case", `{"Name":[{"equals-ignore-case":"aLICE"}]}`, []string{`{"Name":"Alice"}`}, []string{`{"Name":"Bob"}`, `{"Name":1}`}},
		{"and", `{"Location":["New York"],"Day":["Monday"]}`, []string{`{"Location":"New York","Day":"Monday"}`}, []string{`{"Location":"New York"}`}},
		{"or", `{"PaymentType":["Credit","Debit"]}`, []string{`{"PaymentType":"Debit"}`}, []string{`{"PaymentType":"Cash"}`}},
		{
			"or, several fields", `{"$or":[{"Location":["New York"]},{"Day":["Monday"]}]}`,
			[]string{`{"Location":"New York"}`, `{"Day":"Monday"}`}, []string{`{"Day":"Tuesday"}`, `{}`},
		},
		{
			"or inside and inside or", `{"a":[1],"$or":[{"b":[1],"$or":[{"c":[1]},{"d":[1]}]},{"e":[1]}]}`,
			[]string{`{"a":1,"b":1,"d":1}`, `{"a":1,"e":1}`}, []string{`{"a":1,"b":1}`, `{"e":1}`},
		},
		{"not", `{"Weather":[{"anything-but":["Raining"]}]}`, []string{`{"Weather":"Sunny"}`, `{"Weather":1}`}, []string{`{"Weather":"Raining"}`, `{}`}},
		{"not one of some numbers", `{"n":[{"anything-but":[1,2]}]}`, []string{`{"n":3}`}, []string{`{"n":1}`, `{"n":2}`}},
		{"not, without a list", `{"n":[{"anything-but":"x"}]}`, []string{`{"n":"y"}`}, []string{`{"n":"x"}`}},
		{"numeric equals", `{"Price":[{"numeric":["=",100]}]}`, []string{`{"Price":100}`, `{"Price":1e2}`}, []string{`{"Price":"100"}`, `{"Price":100.1}`}},
		{"numeric range", `{"Price":[{"numeric":[">",10,"<=",20]}]}`, []string{`{"Price":10.5}`, `{"Price":20}`}, []string{`{"Price":10}`, `{"Price":21}`}},
		{"numeric bounds", `{"n":[{"numeric":["<",0]},{"numeric":[">=",9]}]}`, []string{`{"n":-1}`, `{"n":9}`}, []string{`{"n":0}`, `{"n":8}`}},
		{"a number as it is written", `{"n":[300]}`, []string{`{"n":300}`}, []string{`{"n":300.0}`, `{"n":3.0e2}`, `{"n":"300"}`}},
		{"exists", `{"ProductName":[{"exists":true}]}`, []string{`{"ProductName":"x"}`, `{"ProductName":null}`}, []string{`{}`, `{"ProductName":{"x":1}}`}},
		{"does not exist", `{"ProductName":[{"exists":false}]}`, []string{`{}`, `{"ProductName":{"x":1}}`}, []string{`{"ProductName":1}`}},
		{"begins with", `{"Region":[{"prefix":"us-"}]}`, []string{`{"Region":"us-east-1"}`}, []string{`{"Region":"eu-us-"}`, `{"Region":5}`}},
		{"ends with", `{"FileName":[{"suffix":".png"}]}`, []string{`{"FileName":"a.png"}`}, []string{`{"FileName":"a.png.gz"}`}},
		{"nested", `{"a":{"b":{"c":[true]}}}`, []string{`{"a":{"b":{"c":true}}}`}, []string{`{"a":{"b":{"c":false}}}`, `{"a":{"b":true}}`, `{"a":1}`}},
		{"nested and absent", `{"a":{"b":[{"exists":false}]}}`, []string{`{}`, `{"a":1}`, `{"a":{"c":1}}`}, []string{`{"a":{"b":1}}`}},
		{"an element of a list", `{"tags":["a"]}`, []string{`{"tags":["b","a"]}`}, []string{`{"tags":["b"]}`, `{"tags":[]}`}},
		{"an object in a list", `{"items":{"id":[2]}}`, []string{`{"items":[{"id":1},{"id":2}]}`}, []string{`{"items":[{"id":1}]}`}},
		{"what is no JSON object", `{"a":[{"exists":false}]}`, []string{`{"b":1}`, ` {"b":1} `}, []string{`text`, ``, `[{"b":1}]`, `"x"`, `{"b":1`}},
		{"a member that comes twice is the last one", `{"a":{"x":[{"exists":false}],"y":[2]}}`, []string{`{"a":{"x":1},"a":{"y":2}}`}, []string{`{"a":{"y":2},"a":{"y":1}}`}},
		{"an element of an element", `{"a":[1]}`, []string{`{"a":[[2],[1]]}`}, []string{`{"a":[[2],{"a":1}]}`}},
		{"a member called $or", `{"$or":[{"a":[1]}]}`, []string{`{"a":1,"$or":2}`}, []string{`{"$or":[{"a":[1]}]}`, `{"$or":{"a":1}}`}},
		{"plain text", `["hello",{"prefix":"Result: "}]`, []string{`hello`, `Result: {"a":1}`}, []string{`{"hello":1}`, `bye`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := parse(t, `{"body":`+test.pattern+`}`)
			for _, body := range test.yes {
				if !p.Matches(body) {
					t.Errorf("%s does not match %s", test.pattern, body)
				}
			}
			for _, body := range test.no {
				if p.Matches(body) {
					t.Errorf("%s matches %s", test.pattern, body)
				}
			}
		})
	}
}

func TestParse_Refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, says string }{
		{"no JSON", `{`, "unexpected EOF"},
		{"the same member twice", `{"body":{"a":[1],"a":[2]}}`, "duplicate"},
		{"nothing", `{}`, "body and nothing else"},
		{"another member", `{"messageAttributes":{"a":[1]}}`, "body and nothing else"},
		{"a value without its list", `{"body":{"a":"x"}}`, "body.a: x is neither an object nor a list"},
		{"an empty list", `{"body":{"a":{"b":[]}}}`, "body.a.b: [] is no list with something in it"},
		{"an empty object", `{"body":{}}`, "no object with something in it"},
		{"a list in a list", `{"body":{"a":[[1]]}}`, "is no value"},
		{"two operators", `{"body":{"a":[{"prefix":"x","suffix":"y"}]}}`, "one operator"},
		{"an operator of EventBridge only", `{"body":{"a":[{"wildcard":"x*"}]}}`, "body.a: wildcard: is no operator"},
		{"a prefix that is a number", `{"body":{"a":[{"prefix":1}]}}`, "1 is no text"},
		{"exists with a text", `{"body":{"a":[{"exists":"true"}]}}`, "exists"},
		{"anything-but with an operator", `{"body":{"a":[{"anything-but":{"prefix":"x"}}]}}`, "is no value"},
		{"a comparison that is none", `{"body":{"a":[{"numeric":["!",1]}]}}`, "is not like"},
		{"a comparison with a text", `{"body":{"a":[{"numeric":["<","1"]}]}}`, "is not like"},
		{"three parts", `{"body":{"a":[{"numeric":["<",1,">"]}]}}`, "is not like"},
		{"bounds the wrong way round", `{"body":{"a":[{"numeric":["<",1,">",0]}]}}`, "is not like"},
		{"bounds with nothing between", `{"body":{"a":[{"numeric":[">",1,"<",1]}]}}`, "is not like"},
		{"an $or of rules", `{"body":{"$or":[1]}}`, "$or"},
		{"too long", `{"body":{"a":["` + strings.Repeat("x", pattern.MaxBytes) + `"]}}`, "at most 4096"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := pattern.Parse(test.text); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
}

// TestPattern_Matches_AsItIsDefined holds rules over one member against their definitions in the plainest words.
func TestPattern_Matches_AsItIsDefined(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"", "a", "ab", "abc", "AB", "b", "ü", `"`, "\\"})
	rapid.Check(t, func(t *rapid.T) {
		wanted, got := rapid.SliceOfN(word, 1, 3).Draw(t, "wanted"), word.Draw(t, "got")
		body := marshal(map[string]any{"x": map[string]string{"k": got}})
		rules := map[string]bool{
			marshal(wanted): slices.Contains(wanted, got),
			marshal([]any{map[string]any{"anything-but": wanted}}):          !slices.Contains(wanted, got),
			marshal([]any{map[string]any{"prefix": wanted[0]}}):             strings.HasPrefix(got, wanted[0]),
			marshal([]any{map[string]any{"suffix": wanted[0]}}):             strings.HasSuffix(got, wanted[0]),
			marshal([]any{map[string]any{"equals-ignore-case": wanted[0]}}): strings.EqualFold(got, wanted[0]),
			`[{"exists":true}]`:  true,
			`[{"exists":false}]`: false,
		}
		for rule, want := range rules {
			nested := `{"x":{"k":` + rule + `}}`
			if p := parse(t, `{"body":`+nested+`}`); p.Matches(body) != want {
				t.Fatalf("%s matches %s: %t, want %t", nested, body, !want, want)
			}
			either := `{"$or":[` + nested + `,{"never":["x"]}]}`
			if p := parse(t, `{"body":`+either+`}`); p.Matches(body) != want {
				t.Fatalf("%s matches %s: %t, want %t", either, body, !want, want)
			}
		}
	})
}

func marshal(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func FuzzPattern(f *testing.F) {
	f.Add(`{"body":{"a":[{"numeric":[">",0,"<=",5]}],"$or":[{"b":["x"]},{"c":{"d":[null]}}]}}`, `{"a":3,"b":["x"]}`)
	f.Add(`{"body":[{"prefix":"x"}]}`, `xyz`)
	f.Add(`{"body":{"a":[{"anything-but":[1,"x"]}]}}`, `{"a":[{"b":1},2]}`)
	f.Add(`{"body":{"a":[{"exists":false}]}}`, `{"a":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`)
	f.Fuzz(func(t *testing.T, text, body string) {
		p, err := pattern.Parse(text)
		if err != nil {
			return
		}
		if got := p.Matches(body); got != p.Matches(body) {
			t.Error("the second answer is another one")
		}
	})
}
