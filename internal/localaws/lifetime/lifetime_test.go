package lifetime_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws/lifetime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLifetime_End_WaitsForTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life, begin := lifetime.New("test"), time.Now()
		life.Go(func() {
			select {
			case <-time.After(time.Minute):
			case <-life.Uncut.Done():
				t.Error("the work was cut")
			}
		})
		if err := life.End(t.Context()); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("End = %v after %s, want nil after the minute that the work takes", err, time.Since(begin))
		}
		if life.Go(func() { t.Error("work began after the end") }) {
			t.Error("Go took work after the end")
		}
		if err := life.End(t.Context()); err != nil {
			t.Errorf("second End = %v, want nil", err)
		}
	})
}

func TestLifetime_End_CutsWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life, begin := lifetime.New("test"), time.Now()
		life.Go(func() { <-life.Uncut.Done() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := life.End(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "test: ") || time.Since(begin) != time.Second {
			t.Errorf("End = %v after %s, want the deadline after 1 s, with the name", err, time.Since(begin))
		}
	})
}

func TestLifetime_Sleep_LastsUntilTheEndAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life, begin := lifetime.New("test"), time.Now()
		if !life.Sleep(time.Second) || time.Since(begin) != time.Second {
			t.Errorf("Sleep ended after %s, want true after 1 s", time.Since(begin))
		}
		life.Go(func() {
			if life.Sleep(time.Hour) {
				t.Error("Sleep outlasted the end")
			}
		})
		if err := life.End(t.Context()); err != nil || time.Since(begin) != time.Second {
			t.Errorf("End = %v after %s, want nil at once", err, time.Since(begin)-time.Second)
		}
	})
}
