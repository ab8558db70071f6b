package esm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/esm"
)

func TestMapping_Filters_DeleteWhatNoneMatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		filters := []string{`{"body":{"n":[{"numeric":["<",2]}]}}`, `{"body":{"n":[{"numeric":[">",7]}]}}`}
		b := newBench(t, esm.Options{Filters: filters, Window: time.Second}, succeed)
		defer b.end()
		b.send("no JSON")
		var want []string
		for i := range 30 {
			body := fmt.Sprintf(`{"n":%d}`, i%10)
			b.send(body)
			if n := i % 10; n < 2 || n > 7 {
				want = append(want, body)
			}
		}
		time.Sleep(time.Minute)
		var got []string
		for _, call := range b.snapshot() {
			got = append(got, call.bodies...)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what the function got (-want +got):\n%s", diff)
		}
		if left := b.left(); left != 0 {
			t.Errorf("%d messages left, want 0", left)
		}
		stats := b.mapping.Stats()
		if diff := cmp.Diff([]int64{12, 12, 19}, []int64{stats.Messages, stats.Deleted, stats.Filtered}); diff != "" {
			t.Errorf("messages, deleted, filtered (-want +got):\n%s", diff)
		}
	})
}

func TestOptions_Validate_Filters(t *testing.T) {
	t.Parallel()
	one := `{"body":{"n":[1]}}`
	if err := (esm.Options{Filters: []string{one, one, one, one, one}}).Validate(); err != nil {
		t.Error(err)
	}
	for says, filters := range map[string][]string{
		"at most 5":        {one, one, one, one, one, one},
		"body and nothing": {one, `{}`},
	} {
		if err := (esm.Options{Filters: filters}).Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}
