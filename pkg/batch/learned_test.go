package batch_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/batch"
)

func TestLearned_Apply_TightensAndRecoversSlowly(t *testing.T) {
	t.Parallel()
	var l batch.Learned
	given := batch.Limits{MaxEvents: 500, MaxBytes: 1000}
	if got := l.Apply(given); got.MaxBytes != 1000 {
		t.Fatalf("nothing was learned, but the limit is %d", got.MaxBytes)
	}
	l.Halved(400)
	l.Halved(600) // an older, weaker lesson
	if got := l.Apply(given); got.MaxBytes != 400 || got.MaxEvents != 500 {
		t.Fatalf("limits are %+v, want 400 bytes", got)
	}
	if got := l.Apply(batch.Limits{}); got.MaxBytes != 400 {
		t.Errorf("without a limit of its own the sink gets %d bytes, want 400", got.MaxBytes)
	}
	for range 19 {
		l.Taken(399)
		l.Taken(10) // too small to say anything
	}
	if got := l.Apply(given).MaxBytes; got != 400 {
		t.Errorf("the limit grew to %d too early", got)
	}
	l.Taken(399)
	if got := l.Apply(given).MaxBytes; got != 451 {
		t.Errorf("after twenty good batches the limit is %d, want 451", got)
	}
}

func TestLearned_Property_NeverLoosensTheSinksOwnLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var l batch.Learned
		own := rapid.IntRange(1, 1000).Draw(t, "own limit")
		for range rapid.IntRange(0, 100).Draw(t, "lessons") {
			n := rapid.IntRange(0, 2000).Draw(t, "bytes")
			if rapid.Bool().Draw(t, "halved") {
				l.Halved(n)
			} else {
				l.Taken(n)
			}
			if got := l.Apply(batch.Limits{MaxBytes: own}).MaxBytes; got < 1 || got > own {
				t.Fatalf("limit %d, want 1 to %d", got, own)
			}
		}
	})
}
