package esm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
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
	})
}

// A batch counted as begun with what the filters had dropped before its first message, and a throttled function lost the patience
// that it was still entitled to.
func TestMapping_Filters_WhatWasDroppedDoesNotAgeTheBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin, counts := time.Now(), []string{}
		b := newBench(t, esm.Options{Filters: []string{`{"body":{"n":[1]}}`}}, func(_ int, event events.SQSEvent) (lambda.Result, error) {
			if time.Since(begin) < 30*time.Second {
				return lambda.Result{}, refused()
			}
			counts = append(counts, event.Records[0].Attributes["ApproximateReceiveCount"])
			return lambda.Result{}, nil
		})
		b.send("no JSON") // dropped at once
		time.Sleep(19 * time.Second)
		b.send(`{"n":1}`) // hidden for 30 s from now on
		time.Sleep(2 * time.Minute)
		b.end()
		if diff := cmp.Diff([]string{"1"}, counts); diff != "" {
			t.Errorf("receive counts at the delivery (-want +got):\n%s", diff)
		}
	})
}

func TestStart_Filters(t *testing.T) {
	t.Parallel()
	one := `{"body":{"n":[1]}}`
	if err := startAndStop(t, esm.Options{Filters: []string{one, one, one, one, one}}); err != nil {
		t.Error(err)
	}
	for says, filters := range map[string][]string{
		"at most 5":        {one, one, one, one, one, one},
		"body and nothing": {one, `{}`},
	} {
		if err := startAndStop(t, esm.Options{Filters: filters}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}
