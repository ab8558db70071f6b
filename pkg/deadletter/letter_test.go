package deadletter_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/queue"
)

const causeBytes = 1024

func TestCause_CapsAndCleans(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", causeBytes)
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"short", "503: away", "503: away"},
		{"exactly as long as may be", long, long},
		{"a byte too long", long + "b", long[:causeBytes-3] + "…"},
		{"a character on the border stays whole", long[:causeBytes-3] + "é and more", long[:causeBytes-3] + "…"},
		{"a character across the cut goes", long[:causeBytes-4] + "ポスト", long[:causeBytes-4] + "…"},
		{"an emoji across the cut goes", long[:causeBytes-6] + "🚰🚰", long[:causeBytes-6] + "…"},
		{"Latin-1", "caf\xe9 ferm\xe9", "caf\ufffd ferm\ufffd"},
		{"what SQS refuses", "a\ufffeb\uffffc", "a\ufffdb\ufffdc"},
		{"only broken bytes", strings.Repeat("\x80", 3000), strings.Repeat("\ufffd", 340) + "…"},
		{"lines and control characters stay", "a\n\tb\x00", "a\n\tb\x00"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := deadletter.Cause(row.text); got != row.want {
				t.Errorf("got %q (%d bytes), want %q (%d bytes)", got, len(got), row.want, len(row.want))
			}
		})
	}
}

// FuzzCause: whatever a sink says, its dead letter can be written and read.
func FuzzCause(f *testing.F) {
	for _, text := range []string{"", "503", "caf\xe9", "\ufffe", strings.Repeat("é", 700), strings.Repeat("\x00\xff", 600)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := deadletter.Cause(text)
		if len(got) > causeBytes || !utf8.ValidString(got) || strings.ContainsAny(got, "\ufffe\uffff") {
			t.Fatalf("cause of %d bytes: %q", len(got), got)
		}
		if again := deadletter.Cause(got); again != got {
			t.Fatalf("capped twice it is %q, once %q", again, got)
		}
		clean := utf8.ValidString(text) && !strings.ContainsAny(text, "\ufffe\uffff")
		if clean && len(text) <= causeBytes && got != text {
			t.Fatalf("got %q, want it as it was: %q", got, text)
		}
		if clean && len(text) > causeBytes && !strings.HasPrefix(text, strings.TrimSuffix(got, "…")) {
			t.Fatalf("%q is not the beginning of %q", got, text)
		}
		letter, err := deadletter.Unreadable(&queue.Received{Body: []byte("x")}, errors.New(text), noon)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := batch.ParseHeader([]byte(letter.Body)); err != nil || h.Reason.Cause != got {
			t.Fatalf("header says %+v, %v; want the cause %q", h.Reason, err, got)
		}
	})
}

func TestUnreadable_KeepsEveryByte(t *testing.T) {
	t.Parallel()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, row := range []struct {
		name   string
		body   string
		events []byte
	}{
		{"a text", "hello", nil},
		{"nothing at all", "", nil},
		{"JSON that is no pack", `{"hello":"wörld"}`, nil},
		{"a pack whose events are broken", `{"v":1,"tenant":"acme"}`, all},
		{"lines, quotes and other scripts", "\t\"ポスト\"\r\n\\", []byte{0}},
		{"half a MiB", strings.Repeat("x", 1<<19), bytes.Repeat(all, 1000)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			sent := noon.Add(-time.Hour)
			message, err := deadletter.Unreadable(&queue.Received{Body: []byte(row.body), Events: row.events, Sent: sent}, batch.ErrNotPack, noon)
			if err != nil {
				t.Fatal(err)
			}
			p, err := batch.Decode([]byte(message.Body), message.Events)
			if err != nil || len(p.Events) != 1 {
				t.Fatalf("letter holds %d events, %v; want 1", len(p.Events), err)
			}
			var kept struct {
				Body   string
				Events []byte
			}
			if err := json.Unmarshal(p.Events[0].Data, &kept); err != nil {
				t.Fatal(err)
			}
			if kept.Body != row.body || !bytes.Equal(kept.Events, row.events) {
				t.Errorf("kept %.100q and %d bytes, want %.100q and %d", kept.Body, len(kept.Events), row.body, len(row.events))
			}
			want := &batch.Reason{Class: "permanent", Stop: deadletter.StopUnreadable, Cause: batch.ErrNotPack.Error(), First: noon, Last: noon}
			if diff := cmp.Diff(want, p.Header.Reason); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
			h := p.Header
			if h.Tenant != deadletter.UnknownTenant || h.Kinds[0] != deadletter.KindUnreadable || !h.First.Equal(sent) || deadletter.Replayable(&h) {
				t.Errorf("header is %+v", h)
			}
		})
	}
}

// TestUnreadable_SameMessageSameLetter: a flush that parks a message twice writes one letter.
func TestUnreadable_SameMessageSameLetter(t *testing.T) {
	t.Parallel()
	id := func(body string, at time.Time) string {
		letter, err := deadletter.Unreadable(&queue.Received{Body: []byte(body)}, batch.ErrNotPack, at)
		if err != nil {
			t.Fatal(err)
		}
		return letter.Header.ID
	}
	if a, b := id("hello", noon), id("hello", noon.Add(time.Hour)); a != b {
		t.Errorf("ids %s and %s, want one", a, b)
	}
	if a, b := id("hello", noon), id("hullo", noon); a == b {
		t.Errorf("two messages share the id %s", a)
	}
}

func TestUnreadable_BytesThatAreNoText(t *testing.T) {
	t.Parallel()
	letter, err := deadletter.Unreadable(&queue.Received{Body: []byte("a\xffb")}, fmt.Errorf("odd \xff"), noon)
	if err != nil {
		t.Fatalf("error is %v; a message must never come back for ever", err)
	}
	if p, err := batch.Decode([]byte(letter.Body), letter.Events); err != nil || !strings.Contains(string(p.Events[0].Data), "a\ufffdb") {
		t.Errorf("letter is %v, %v", p, err)
	}
}

func TestUnreadable_TooLarge(t *testing.T) {
	t.Parallel()
	_, err := deadletter.Unreadable(&queue.Received{Body: bytes.Repeat([]byte("x"), batch.MaxLargeEventBytes)}, batch.ErrNotPack, noon)
	if _, ok := errors.AsType[*batch.TooLargeError](err); !ok {
		t.Errorf("error is %v, want a *batch.TooLargeError", err)
	}
}
