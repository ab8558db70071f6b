package retry_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/millrace-dev/millrace/pkg/retry"
)

func TestPolicy_WithDefaults_ZeroValue(t *testing.T) {
	t.Parallel()
	want := retry.Policy{
		InitialDelay:  200 * time.Millisecond,
		MaxDelay:      30 * time.Second,
		Multiplier:    2,
		Jitter:        retry.FullJitter,
		MaxInlineWait: 5 * time.Second,
		MaxRetryAfter: 900 * time.Second, // SQS DelaySeconds
		MaxAttempts:   12,
		MaxAge:        24 * time.Hour,
	}
	if diff := cmp.Diff(want, retry.Policy{}.WithDefaults()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

// refused is a policy in which nothing is right.
func refused() retry.Policy {
	return retry.Policy{
		InitialDelay: -1, MaxDelay: -1, Multiplier: math.NaN(), Jitter: 7,
		MaxInlineWait: -1, MaxRetryAfter: -1, MaxAttempts: -1, MaxAge: -1,
	}
}

func TestPolicy_WithDefaults_RefusedValues(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(retry.Policy{}.WithDefaults(), refused().WithDefaults()); diff != "" {
		t.Errorf("defaults of refused values (-want +got):\n%s", diff)
	}
}

func TestPolicy_Validate_ReportsAllProblems(t *testing.T) {
	t.Parallel()
	err := refused().Validate()
	if err == nil {
		t.Fatal("Validate() = nil, want every problem")
	}
	var got []string
	for line := range strings.Lines(err.Error()) {
		field, _, _ := strings.Cut(line, ":")
		got = append(got, field)
	}
	want := []string{
		"InitialDelay", "MaxDelay", "MaxInlineWait", "MaxRetryAfter", "MaxAge",
		"MaxAttempts", "Multiplier", "Jitter",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields named by Validate (-want +got):\n%s", diff)
	}
}

func TestPolicy_Validate_OneProblem(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		policy retry.Policy
		want   string // "" for valid
	}{
		{"the zero value is valid", retry.Policy{}, ""},
		{"E9 is valid", retry.E9(), ""},
		{"C3 is valid", retry.C3(), ""},
		{"a constant delay is valid", retry.Policy{Multiplier: 1}, ""},
		{"no limits are valid", retry.Policy{MaxAttempts: math.MaxInt, MaxAge: retry.NoDeadline}, ""},
		{"a shrinking delay is refused", retry.Policy{Multiplier: 0.5}, "Multiplier: 0.5 is not a finite number of 1 or more"},
		{"an infinite multiplier is refused", retry.Policy{Multiplier: math.Inf(1)}, "Multiplier: +Inf is not a finite number of 1 or more"},
		{
			"an initial delay above the default cap is refused",
			retry.Policy{InitialDelay: time.Minute},
			"InitialDelay: 1m0s is above MaxDelay 30s",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := row.policy.Validate(); err != nil {
				got = err.Error()
			}
			if got != row.want {
				t.Errorf("Validate() = %q, want %q", got, row.want)
			}
		})
	}
}
