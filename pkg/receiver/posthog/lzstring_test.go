package posthog

import "testing"

func TestUnlz64_KnownVectors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"BYUwNmD2A0AECWsCGBbZtDUzkAA=", "hello, i am a 猫"},
		{"r6ABsK6KaAD2aLCADWBfgBPQ9oCAlAZAvgDobEARlB4QAEOAjAUxAGd4BL5AZ4BMBPAQiA==", "Žluťoučký kůň úpěl ďábelské ódy!"},
		{"Q===", ""},
	} {
		got, err := unlz64([]byte(tt.in), 1<<20)
		if err != nil || string(got) != tt.want {
			t.Errorf("unlz64(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}
