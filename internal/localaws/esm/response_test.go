package esm_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/esm"
)

func known() map[string]string { return map[string]string{"a": "handle", "b": "handle", "c": "handle"} }

// responses is the table of every response shape; the mapping's tests run the whole path over it too.
var responses = []struct {
	name     string
	response string
	failed   []string // the items that come back
	whole    string   // part of the reason why the whole batch comes back
}{
	{name: "an empty body is full success", response: ``},
	{name: "blanks are full success", response: " \n"},
	{name: "null is full success", response: `null`},
	{name: "an empty object is full success", response: `{}`},
	{name: "an empty list is full success", response: `{"batchItemFailures":[]}`},
	{name: "a null list is full success", response: `{"batchItemFailures":null}`},
	{name: "other members are ignored", response: `{"ok":[1,{"x":null}],"batchItemFailures":[],"n":1e9}`},
	{name: "another spelling is another member", response: `{"BatchItemFailures":[{"itemIdentifier":"a"}]}`},
	{name: "a listed item comes back", response: `{"batchItemFailures":[{"itemIdentifier":"b"}]}`, failed: []string{"b"}},
	{name: "all items may be listed", response: `{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}`, failed: []string{"a", "b", "c"}},
	{name: "an id twice is as once", response: `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"a"}]}`, failed: []string{"a"}},
	{name: "of a repeated list the last counts", response: `{"batchItemFailures":[{"itemIdentifier":"a"}],"batchItemFailures":[{"itemIdentifier":"c"}]}`, failed: []string{"c"}},
	{name: "members beside the identifier are ignored", response: `{"batchItemFailures":[{"why":{"x":[]},"itemIdentifier":"a"}]}`, failed: []string{"a"}},
	{name: "an unknown id fails the batch", response: `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"z"}]}`, whole: "not in the batch"},
	{name: "an endless id fails the batch", response: `{"batchItemFailures":[{"itemIdentifier":"` + strings.Repeat("a", 300) + `"}]}`, whole: "not in the batch"},
	{name: "an empty id fails the batch", response: `{"batchItemFailures":[{"itemIdentifier":""}]}`, whole: "no itemIdentifier"},
	{name: "a null id fails the batch", response: `{"batchItemFailures":[{"itemIdentifier":null}]}`, whole: "no itemIdentifier"},
	{name: "a missing id fails the batch", response: `{"batchItemFailures":[{}]}`, whole: "no itemIdentifier"},
	{name: "a bad key name fails the batch", response: `{"batchItemFailures":[{"ItemIdentifier":"a"}]}`, whole: "no itemIdentifier"},
	{name: "a null item fails the batch", response: `{"batchItemFailures":[null]}`, whole: "no itemIdentifier"},
	{name: "a number as id fails the batch", response: `{"batchItemFailures":[{"itemIdentifier":1}]}`, whole: "itemIdentifier"},
	{name: "a bare id fails the batch", response: `{"batchItemFailures":["a"]}`, whole: "malformed"},
	{name: "an object as list fails the batch", response: `{"batchItemFailures":{"itemIdentifier":"a"}}`, whole: "batchItemFailures"},
	{name: "a string fails the batch", response: `"ok"`, whole: "malformed"},
	{name: "a list fails the batch", response: `[]`, whole: "malformed"},
	{name: "broken JSON fails the batch", response: `{"batchItemFailures":[`, whole: "EOF"},
	{name: "no JSON fails the batch", response: `done`, whole: "malformed"},
	{name: "more after the value fails the batch", response: `{} {}`, whole: "after top-level value"},
}

func TestRead_EveryShape(t *testing.T) {
	t.Parallel()
	for _, test := range responses {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			failed, err := esm.Read([]byte(test.response), known())
			if test.whole != "" {
				if err == nil || !strings.Contains(err.Error(), test.whole) {
					t.Fatalf("Read(%s) = %v, %v; want an error with %q", test.response, failed, err, test.whole)
				}
				return
			}
			if err != nil {
				t.Fatalf("Read(%s): %v", test.response, err)
			}
			if diff := cmp.Diff(test.failed, slices.Sorted(maps.Keys(failed))); diff != "" {
				t.Errorf("failed items (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, test := range responses {
		f.Add([]byte(test.response))
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		failed, err := esm.Read(response, known())
		if err != nil {
			if failed != nil {
				t.Errorf("Read(%q) gave both %v and %v", response, failed, err)
			}
			return
		}
		for id := range failed {
			if known()[id] == "" {
				t.Errorf("Read(%q) reports %q, which is not in the batch", response, id)
			}
		}
		if blank := strings.TrimSpace(string(response)) == ""; !blank && !json.Valid(response) {
			t.Errorf("Read(%q) accepted what is no JSON", response)
		}
	})
}
