package sink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
)

func TestResult_Of(t *testing.T) {
	t.Parallel()
	rejected := sink.Outcome{Verdict: sink.Rejected, Class: retry.Permanent, Status: 400}
	for _, c := range []struct {
		name   string
		result sink.Result
		want   []sink.Outcome // without their causes
	}{
		{"no outcomes mean that all is delivered", sink.Result{}, []sink.Outcome{{}, {}}},
		{"outcomes go by position", sink.Result{Outcomes: []sink.Outcome{{}, rejected}}, []sink.Outcome{{}, rejected}},
		{"an event without an outcome is tried again", sink.Result{Outcomes: []sink.Outcome{rejected}}, []sink.Outcome{
			rejected, {Verdict: sink.Retry, Class: retry.Transient},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for i, want := range c.want {
				got := c.result.Of(i)
				got.Cause = ""
				if got != want {
					t.Errorf("Of(%d) = %+v, want %+v", i, got, want)
				}
			}
		})
	}
}

func TestFail_VerdictFollowsClass(t *testing.T) {
	t.Parallel()
	for class, want := range map[retry.Class]sink.Verdict{
		retry.Transient: sink.Retry, retry.Throttled: sink.Retry, retry.Setup: sink.Retry, retry.Cancelled: sink.Retry,
		retry.Permanent: sink.Rejected, retry.TooLarge: sink.Rejected,
	} {
		if got := sink.Fail(class, "x", nil).Outcome; got.Verdict != want || got.Class != class || got.Cause != "x" {
			t.Errorf("Fail(%s) = %+v, want %s", class, got, want)
		}
	}
}

func TestFailure_Error(t *testing.T) {
	t.Parallel()
	failure := sink.Fail(retry.Throttled, "slow down", io.ErrUnexpectedEOF)
	if got, want := failure.Error(), "retry (throttled): slow down"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	failure.Outcome.Status = 429
	if got, want := failure.Error(), "status 429, retry (throttled): slow down"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(failure, io.ErrUnexpectedEOF) {
		t.Error("errors.Is does not find the underlying error")
	}
}

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	failure := sink.Fail(retry.Setup, "key", nil)
	failure.Outcome.After = time.Second
	for _, c := range []struct {
		name      string
		err       error
		cancelled bool
		want      sink.Outcome
	}{
		{"no error is a delivery", nil, false, sink.Outcome{}},
		{"no error is a delivery, even when the context is done", nil, true, sink.Outcome{}},
		{"a failure says itself", fmt.Errorf("send: %w", failure), true, failure.Outcome},
		{"any other error is transient", io.EOF, false, sink.Outcome{Verdict: sink.Retry, Class: retry.Transient, Cause: "EOF"}},
		{
			"any other error is cancelled when the context is done", context.Canceled, true,
			sink.Outcome{Verdict: sink.Retry, Class: retry.Cancelled, Cause: "context canceled"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, sink.OutcomeOf(c.err, c.cancelled)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerdict_String(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[sink.Verdict]string{
		sink.Delivered: "delivered", sink.Retry: "retry", sink.Rejected: "rejected", 9: "verdict(9)",
	} {
		if got := verdict.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}
