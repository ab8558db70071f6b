package retry_test

import (
	"testing"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func TestClass_Predicates(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		class                    retry.Class
		valid, retryable, counts bool
	}{
		{retry.Transient, true, true, true},
		{retry.Throttled, true, true, true},
		{retry.TooLarge, true, false, true},
		{retry.Permanent, true, false, true},
		{retry.Setup, true, false, false},
		{retry.Cancelled, true, true, false},
		{"", false, false, true},
		{"Transient", false, false, true},
	} {
		if got := row.class.Valid(); got != row.valid {
			t.Errorf("Class(%q).Valid() = %v, want %v", row.class, got, row.valid)
		}
		if got := row.class.Retryable(); got != row.retryable {
			t.Errorf("Class(%q).Retryable() = %v, want %v", row.class, got, row.retryable)
		}
		if got := row.class.CountsAsAttempt(); got != row.counts {
			t.Errorf("Class(%q).CountsAsAttempt() = %v, want %v", row.class, got, row.counts)
		}
	}
}
