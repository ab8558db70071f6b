package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/retry"
)

func TestStanding_Encode_IsTheDocumentedNote(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_800_000_000_123)
	tests := []struct {
		name string
		in   Standing
		want string
	}{
		{
			"open", Standing{State: Open, Until: at.Add(30 * time.Second), Class: retry.Throttled, Cause: "status 429", At: at, By: "a1b2"},
			`{"v":1,"state":"open","until":1800000030123,"class":"throttled","cause":"status 429","at":1800000000123,"by":"a1b2"}`,
		},
		{"closed", Standing{State: Closed, At: at, By: "a1b2"}, `{"v":1,"state":"closed","at":1800000000123,"by":"a1b2"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text, err := tt.in.encode()
			if err != nil || string(text) != tt.want {
				t.Errorf("encode: %s, %v; want %s", text, err, tt.want)
			}
			got, err := decode(text)
			if diff := cmp.Diff(tt.in, got); err != nil || diff != "" {
				t.Errorf("decode: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// Causes hold what a destination answered.
func TestStanding_Encode_AnyCauseFitsAndCanBeRead(t *testing.T) {
	t.Parallel()
	for _, cause := range []string{strings.Repeat("\x00", 5000), strings.Repeat("ü", 5000), "\xff\xfe", strings.Repeat("x", maxCause-1) + "ü"} {
		text, err := Standing{State: Open, Until: time.Now(), Class: retry.Setup, Cause: cause, By: strings.Repeat("f", 16)}.encode()
		if err != nil {
			t.Fatalf("encode %.10q: %v", cause, err)
		}
		got, err := decode(text)
		if err != nil || !strings.HasPrefix(cause, got.Cause) && got.Cause != "" {
			t.Errorf("decode of a cause %.10q: %.20q, %v", cause, got.Cause, err)
		}
	}
}

func TestDecode_Refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"nothing", ``, "decode note"},
		{"a newer version", `{"v":2,"state":"open","until":1,"class":"transient"}`, "version 2"},
		{"no version", `{"state":"closed"}`, "version 0"},
		{"a member twice", `{"v":1,"v":1,"state":"closed"}`, "decode note"},
		{"half-open, which nobody writes", `{"v":1,"state":"half-open"}`, "neither open nor closed"},
		{"a class that opens no breaker", `{"v":1,"state":"open","until":1,"class":"permanent"}`, `class "permanent"`},
		{"too long", `{"v":1,"state":"closed","by":"` + strings.Repeat("x", maxNote) + `"}`, "at most 2048"},
		{"something behind it", `{"v":1,"state":"closed"} {}`, "decode note"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if s, err := decode([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("decode: %+v, %v; want an error with %q", s, err, tt.want)
			}
		})
	}
	if _, err := decode([]byte(`{"v":1,"state":"closed","later":{"members":["are skipped"]}}`)); err != nil {
		t.Errorf("a member of a later Millrace: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"state":"open","until":1800000030123,"class":"throttled","cause":"status 429","at":1800000000123,"by":"a1b2"}`))
	f.Add([]byte(`{"v":1,"state":"closed","at":1800000000123,"by":"a1b2"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := decode(text)
		if err != nil {
			return
		}
		if s.State != Open && s.State != Closed || s.State == Closed && (s.Class != "" || !s.Until.IsZero()) {
			t.Errorf("decode(%q) = %+v", text, s)
		}
		// However strange, it shuts nothing for longer than the usual time.
		now := time.Unix(1_800_000_000, 0)
		b := breaker{state: Closed, failuresToOpen: 1, openFor: time.Minute}
		b.adopt(s, now)
		if _, shut := b.admit(now); shut != nil && shut.After > b.openFor {
			t.Errorf("note %q shuts for %v", text, shut.After)
		}
		again, err := s.encode()
		if err != nil {
			t.Fatalf("encode what was read from %q: %v", text, err)
		}
		if len(again) <= maxNote {
			if _, err := decode(again); err != nil {
				t.Errorf("decode of %q, which we wrote: %v", again, err)
			}
		}
	})
}
