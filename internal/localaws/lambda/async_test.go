package lambda

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/lifetime"
)

var errBusy = errors.New("busy")

func TestDeliver_RetriesAsAWSDoes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		tries string // s(ucceeds), f(ails), or is r(efused)
		at    []time.Duration
		want  string
	}{
		{"a success is not repeated", "s", []time.Duration{0}, ""},
		{"a function error is tried twice more", "fff", []time.Duration{0, time.Minute, 3 * time.Minute}, "function error: no luck"},
		{"the last try may succeed", "ffs", []time.Duration{0, time.Minute, 3 * time.Minute}, ""},
		{"throttling does not count", "rrfs", []time.Duration{0, time.Second, 3 * time.Second, 63 * time.Second}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var at []time.Duration
				err := deliver(lifetime.New("test"), func() (Result, error) {
					at = append(at, time.Since(begin))
					switch test.tries[len(at)-1] {
					case 's':
						return Result{}, nil
					case 'f':
						return Result{FunctionError: Unhandled, Payload: []byte("no luck")}, nil
					default:
						return Result{}, errBusy
					}
				})
				if diff := cmp.Diff(test.at, at); diff != "" {
					t.Errorf("tries (-want +got):\n%s", diff)
				}
				if (err != nil) != (test.want != "") || err != nil && err.Error() != test.want {
					t.Errorf("got %v, want %q", err, test.want)
				}
			})
		})
	}
}

func TestDeliver_ThrottledForeverEndsAfterSixHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin, tries := time.Now(), 0
		err := deliver(lifetime.New("test"), func() (Result, error) {
			tries++
			return Result{}, errBusy
		})
		if took := time.Since(begin); !errors.Is(err, errBusy) || took > MaxEventAge || took <= MaxEventAge-maxEventBackoff {
			t.Errorf("given up after %s with %v, want about %s and the last refusal", took, err, MaxEventAge)
		}
		if least := int(MaxEventAge / maxEventBackoff); tries < least || tries > least+20 {
			t.Errorf("%d tries, want a few more than %d, one for each longest pause", tries, least)
		}
	})
}

func TestDeliver_AnEventThatWasRefusedRunsAtTheEndUnlessItIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life := lifetime.New("test")
		time.AfterFunc(90*time.Second, func() { _ = life.End(t.Context()) })
		err := deliver(life, func() (Result, error) {
			if life.Open.Err() == nil {
				return Result{}, errBusy
			}
			return Result{}, nil
		})
		if err != nil {
			t.Errorf("got %v, want that it ran at the end", err)
		}
		cut := lifetime.New("test")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		cut.Go(func() { err = deliver(cut, func() (Result, error) { <-cut.Uncut.Done(); return Result{}, errBusy }) })
		_ = cut.End(ended)
		if !errors.Is(err, errBusy) {
			t.Errorf("got %v, want the refusal of the last try", err)
		}
	})
}

func TestDeliver_EndsWithItsHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life, tries := lifetime.New("test"), 0
		time.AfterFunc(90*time.Second, func() { _ = life.End(t.Context()) })
		err := deliver(life, func() (Result, error) {
			tries++
			return Result{FunctionError: Unhandled}, nil
		})
		if tries != 2 || err == nil {
			t.Errorf("%d tries and %v, want 2 and an error", tries, err)
		}
	})
}
