package queue

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/batch"
)

func TestLimits_AreThoseOfSQS(t *testing.T) {
	t.Parallel()
	if MaxEntries != 10 || MaxDelay != 900*time.Second || MaxVisibility != 43_200*time.Second ||
		MaxWait != 20*time.Second || maxGroupID != 128 || batch.MaxMessageBytes != 1_048_576 {
		t.Error("a limit of SQS was changed; see the SQS Developer Guide, \"Message quotas\"")
	}
}

// TestCalls_Property: no call over ten entries or 1 MiB, every message once and in order.
func TestCalls_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(
			rapid.IntRange(0, 2_000), rapid.IntRange(0, 300_000), rapid.IntRange(1_000_000, batch.MaxMessageBytes-50),
		), 0, 60).Draw(t, "sizes")
		messages := make([]Outgoing, len(sizes))
		for i, size := range sizes {
			messages[i].Message.Events = make([]byte, size)
		}
		var without []int
		for i := range messages {
			if rapid.IntRange(0, 9).Draw(t, "leave out") == 0 {
				without = append(without, i)
			}
		}
		next := 0
		previous, fullBefore := 0, false
		for n, s := range calls(messages, without) {
			for ; slices.Contains(without, next); next++ {
				fullBefore = true // a call ends where a message is left out
			}
			if s.from != next || s.to <= s.from || s.to > len(messages) {
				t.Fatalf("call %d is %v, want one that begins at %d", n, s, next)
			}
			bytes := 0
			for i := s.from; i < s.to; i++ {
				bytes += messages[i].Message.Bytes()
			}
			if s.to-s.from > MaxEntries || bytes > batch.MaxMessageBytes {
				t.Fatalf("call %d has %d entries and %d bytes", n, s.to-s.from, bytes)
			}
			if n > 0 && !fullBefore && previous+messages[s.from].Message.Bytes() <= batch.MaxMessageBytes {
				t.Fatalf("the first message of call %d had room in the one before", n)
			}
			fullBefore = s.to-s.from == MaxEntries
			next, previous = s.to, bytes
		}
		for ; slices.Contains(without, next); next++ {
		}
		if next != len(messages) {
			t.Fatalf("calls end at message %d of %d", next, len(messages))
		}
	})
}

func TestCalls_FillsEachCall(t *testing.T) {
	t.Parallel()
	half := batch.MaxMessageBytes/2 - 12 // the attribute's name and type count too
	for _, row := range []struct {
		name  string
		sizes []int
		want  []span
	}{
		{"none", nil, nil},
		{"one", []int{1}, []span{{0, 1}}},
		{"ten go together", make([]int, 10), []span{{0, 10}}},
		{"the eleventh goes alone", make([]int, 11), []span{{0, 10}, {10, 11}}},
		{"exactly 1 MiB goes together", []int{half, half}, []span{{0, 2}}},
		{"a byte over 1 MiB does not", []int{half, half + 1}, []span{{0, 1}, {1, 2}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			messages := make([]Outgoing, len(row.sizes))
			for i, size := range row.sizes {
				messages[i].Message.Events = make([]byte, size)
			}
			got := calls(messages, nil)
			if len(got) != len(row.want) {
				t.Fatalf("got %v, want %v", got, row.want)
			}
			for i := range got {
				if got[i] != row.want[i] {
					t.Fatalf("got %v, want %v", got, row.want)
				}
			}
		})
	}
}

func TestGroupID_KeepsWhatSQSTakesAndHashesTheRest(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, tenant string
		kept         bool
	}{
		{"a plain name", "acme", true},
		{"punctuation", "acme/eu:1~!", true},
		{"the longest name", strings.Repeat("a", 128), true},
		{"one character too many", strings.Repeat("a", 129), false},
		{"a space", "acme eu", false},
		{"another script", "ポスト", false},
		{"a control character", "acme\n", false},
		{"delete", "acme\x7f", false},
		{"no name", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := *groupID(row.tenant)
			if kept := got == row.tenant; kept != row.kept {
				t.Errorf("group id of %q is %q, want it kept: %v", row.tenant, got, row.kept)
			}
			if !plain(got) {
				t.Errorf("group id of %q is %q, which SQS refuses", row.tenant, got)
			}
		})
	}
	if *groupID("acme eu") == *groupID("acme us") {
		t.Error("two tenants share a group")
	}
}

func TestSeconds_RoundsUpWithinBounds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		d    time.Duration
		want int32
	}{
		{"nothing", 0, 0},
		{"negative", -time.Hour, 0},
		{"a moment is not nothing", time.Nanosecond, 1},
		{"whole", 3 * time.Second, 3},
		{"a part counts whole", 3*time.Second + 1, 4},
		{"the most", MaxDelay, 900},
		{"over the most", MaxDelay + time.Hour, 900},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := seconds(row.d, MaxDelay); got != row.want {
				t.Errorf("seconds(%v) = %d, want %d", row.d, got, row.want)
			}
		})
	}
}
