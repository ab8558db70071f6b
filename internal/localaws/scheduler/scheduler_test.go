package scheduler_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/internal/localaws/scheduler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(tb testing.TB, text, zone string) scheduler.Expression {
	tb.Helper()
	e, err := scheduler.Parse(text, zone)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func instant(tb testing.TB, text string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

func TestExpression_Next(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, expression, zone, after string
		want                          []string // successive times, in UTC
	}{
		{"a rate counts from the time before", "rate(5 minutes)", "UTC", "2026-11-21T10:00:30Z", []string{"2026-11-21T10:05:30Z", "2026-11-21T10:10:30Z"}},
		{"singular units", "rate(1 day)", "UTC", "2026-11-21T10:00:00Z", []string{"2026-11-22T10:00:00Z"}},
		{"every quarter", "cron(0/15 * * * ? *)", "UTC", "2026-11-21T10:00:00Z", []string{"2026-11-21T10:15:00Z", "2026-11-21T10:30:00Z"}},
		{"AWS's first example", "cron(15 12 * * ? *)", "UTC", "2026-11-21T12:15:00Z", []string{"2026-11-22T12:15:00Z"}},
		{"weekdays by name, a range of hours with a step", "cron(0 8-18/5 ? * MON-FRI *)", "UTC", "2026-11-20T18:00:00Z", []string{"2026-11-23T08:00:00Z", "2026-11-23T13:00:00Z", "2026-11-23T18:00:00Z"}},
		{"Sunday is 1", "cron(0 0 ? * 1 *)", "UTC", "2026-11-21T00:00:00Z", []string{"2026-11-22T00:00:00Z"}},
		{"days by number", "cron(0 0 ? * 7,2-3 *)", "UTC", "2026-11-21T00:00:00Z", []string{"2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-28T00:00:00Z"}},
		{"the last day of the month", "cron(0 0 L * ? *)", "UTC", "2028-02-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"}},
		{"the weekday nearest to a Sunday is the Monday", "cron(0 0 15W * ? *)", "UTC", "2026-11-01T00:00:00Z", []string{"2026-11-16T00:00:00Z"}},
		{"the weekday nearest to a Saturday the first stays in its month", "cron(0 0 1W * ? *)", "UTC", "2026-07-15T00:00:00Z", []string{"2026-08-03T00:00:00Z"}},
		{"the weekday nearest to a Sunday at the end stays too", "cron(0 0 31W * ? *)", "UTC", "2026-05-02T00:00:00Z", []string{"2026-05-29T00:00:00Z"}},
		{"the last Friday", "cron(0 0 ? * 6L *)", "UTC", "2026-11-01T00:00:00Z", []string{"2026-11-27T00:00:00Z"}},
		{"L is Saturday", "cron(0 0 ? * L *)", "UTC", "2026-11-20T00:00:00Z", []string{"2026-11-21T00:00:00Z"}},
		{"the third Monday", "cron(0 0 ? * MON#3 *)", "UTC", "2026-11-01T00:00:00Z", []string{"2026-11-16T00:00:00Z", "2026-12-21T00:00:00Z"}},
		{"a fifth Monday skips months without one", "cron(0 0 ? * 2#5 *)", "UTC", "2026-09-01T00:00:00Z", []string{"2026-11-30T00:00:00Z"}},
		{"months and years", "cron(0 0 1 JAN,JUL ? 2027-2028)", "UTC", "2026-11-21T00:00:00Z", []string{"2027-01-01T00:00:00Z", "2027-07-01T00:00:00Z", "2028-01-01T00:00:00Z", "2028-07-01T00:00:00Z", ""}},
		{"a day that never comes", "cron(0 0 30 2 ? *)", "UTC", "2026-11-21T00:00:00Z", []string{""}},
		{"a zone", "cron(0 9 * * ? *)", "Europe/Berlin", "2026-11-21T00:00:00Z", []string{"2026-11-21T08:00:00Z"}},
		{"a skipped local time does not happen", "cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-30T00:30:00Z"}},
		{"a repeated local time happens once", "cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		{"once", "at(2026-11-21T12:00:00)", "America/New_York", "2026-11-21T12:00:00Z", []string{"2026-11-21T17:00:00Z", ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := parse(t, test.expression, test.zone)
			at := instant(t, test.after)
			for _, want := range test.want {
				got := ""
				if at = e.Next(at); !at.IsZero() {
					got = at.UTC().Format(time.RFC3339)
				}
				if got != want {
					t.Fatalf("next time = %q, want %q", got, want)
				}
			}
		})
	}
}

func TestParse_Refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ expression, part string }{
		{"", "rate"}, {"every(5 minutes)", "rate"}, {"rate(5 minutes) ", ""}, {"rate(0 minutes)", "positive"}, {"rate(5)", "positive"}, {"rate(5 minutes", "rate"},
		{"rate(5 seconds)", "minutes"}, {"rate(5 minutes later)", "minutes"}, {"rate(99999999999 days)", "positive"}, {"cron(* * * * *)", "six fields"}, {"cron(* * * * * *)", "must be ?"},
		{"cron(* * ? * ? *)", "must be ?"}, {"cron(60 * * * ? *)", "minute"}, {"cron(* 24 * * ? *)", "hour"}, {"cron(* * 0 * ? *)", "day-of-month"},
		{"cron(* * 32W * ? *)", "32"}, {"cron(* * * FOO ? *)", "FOO"}, {"cron(* * ? * MON#6 *)", "6"}, {"cron(* * ? * X#1 *)", "X"}, {"cron(* * ? * 8L *)", "8"}, {"cron(* * ? * 0 *)", "0"}, {"cron(* * ? * MON,0-3 *)", "0"},
		{"cron(*/0 * * * ? *)", "interval"}, {"cron(* * * * ? 1969)", "year"}, {"cron(1-x * * * ? *)", "x"},
		{"at(2026-11-21)", "yyyy"}, {"at(2026-13-01T00:00:00)", "yyyy"},
	}
	for _, test := range tests {
		_, err := scheduler.Parse(test.expression, "")
		if test.part == "" {
			if err != nil {
				t.Errorf("Parse(%q): %v", test.expression, err)
			}
			continue
		}
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), `"`, ""), test.part) {
			t.Errorf("Parse(%q) = %v, want an error with %q", test.expression, err, test.part)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"rate(1 minute)", "cron(0/15 8-18 ? * MON-FRI *)", "cron(0 0 L * ? 2026)", "at(2026-11-21T12:00:00)", "cron(*/0 * * * ? *)"} {
		f.Add(seed)
	}
	after := time.Date(2026, 11, 21, 10, 7, 8, 9, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := scheduler.Parse(text, "")
		if err != nil {
			return
		}
		if next := e.Next(after); !next.IsZero() && !next.After(after) {
			t.Errorf("%q: next time %s is not after %s", text, next, after)
		}
	})
}

func TestCron_NextIsTheFirstMatchingMinute(t *testing.T) {
	t.Parallel()
	e := parse(t, "cron(0/7 3,9-12 ? * TUE-THU *)", "UTC")
	matches := func(at time.Time) bool {
		day, hour := at.Weekday(), at.Hour()
		return at.Minute()%7 == 0 && (hour == 3 || hour >= 9 && hour <= 12) && day >= time.Tuesday && day <= time.Thursday
	}
	rapid.Check(t, func(t *rapid.T) {
		after := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "after"), 0).UTC()
		want := after.Truncate(time.Minute).Add(time.Minute)
		for !matches(want) {
			want = want.Add(time.Minute)
		}
		if got := e.Next(after); !got.Equal(want) {
			t.Fatalf("Next(%s) = %s, want %s", after, got, want)
		}
	})
}

// recorder is a target that remembers when it was invoked.
type recorder struct {
	begin time.Time
	mu    sync.Mutex
	at    []time.Duration
}

func newRecorder() *recorder { return &recorder{begin: time.Now()} }

func (r *recorder) target(_ context.Context, function string, input []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, time.Since(r.begin))
	if function != "drain" || string(input) == "fail" {
		return errors.New("no")
	}
	return nil
}

func (r *recorder) times() []time.Duration {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func start(t *testing.T, schedule scheduler.Schedule, target scheduler.TargetFunc) *scheduler.Scheduler {
	t.Helper()
	s, err := scheduler.Start([]scheduler.Schedule{schedule}, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScheduler_RateBeginsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		s := start(t, scheduler.Schedule{Name: "drain", Expression: "rate(2 minutes)", Function: "drain"}, r.target)
		time.Sleep(5 * time.Minute)
		if diff := cmp.Diff([]time.Duration{0, 2 * time.Minute, 4 * time.Minute}, r.times()); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if got := len(r.times()); got != 3 {
			t.Errorf("%d invocations after Stop, want 3", got)
		}
	})
}

func TestScheduler_CronInAZone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // a bubble begins at 2000-01-01T00:00:00Z
		r := newRecorder()
		s := start(t, scheduler.Schedule{Name: "daily", Expression: "cron(0 9 * * ? *)", TimeZone: "Asia/Tokyo", Function: "drain"}, r.target)
		time.Sleep(49 * time.Hour)
		if diff := cmp.Diff([]time.Duration{24 * time.Hour, 48 * time.Hour}, r.times()); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestScheduler_RetriesWithBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		s := start(t, scheduler.Schedule{Name: "once", Expression: "at(2000-01-01T00:01:00)", Input: []byte("fail"), Function: "drain"}, r.target)
		time.Sleep(48 * time.Hour)
		m := time.Minute
		times := r.times()
		if diff := cmp.Diff([]time.Duration{m, m + time.Second, m + 3*time.Second, m + 7*time.Second}, times[:4]); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}
		last := len(times) - 1
		if last != scheduler.MaxRetries || times[last]-times[last-1] != 5*m || times[last] > 24*time.Hour {
			t.Errorf("%d retries until %s, want 185 with up to 5 minutes between them, within a day", last, times[last])
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestScheduler_StopCancelsWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, scheduler.Schedule{Name: "slow", Expression: "rate(1 day)"}, func(ctx context.Context, _ string, _ []byte) error {
			<-ctx.Done()
			return ctx.Err()
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop = %v, want DeadlineExceeded", err)
		}
	})
}

func TestStart_ReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := scheduler.Start([]scheduler.Schedule{
		{Name: "a", Expression: "rate(1 year)"}, {Name: "b", Expression: "rate(1 day)", TimeZone: "Mars/Olympus"},
	}, nil, nil)
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"schedule a", "schedule b: time zone"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not mention %q", err, part)
		}
	}
}
