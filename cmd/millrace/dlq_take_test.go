package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// messages are what lies on the queue of dead letters: bodies and attributes, sorted.
func messages(t *testing.T, service *sqs.Service) []string {
	t.Helper()
	got, err := service.Receive(t.Context(), devstack.LetterQueue, sqs.ReceiveInput{MaxMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, m := range got {
		all = append(all, fmt.Sprintf("%s %x", m.Body, m.MessageAttributes[batch.AttributeName].BinaryValue))
		if err := service.ChangeVisibility(t.Context(), devstack.LetterQueue, m.ReceiptHandle, 0); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

func TestDLQExport_Import_GiveTheSameLetters(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	fill(t, service)
	if _, err := service.Send(t.Context(), devstack.LetterQueue, sqs.SendInput{Body: `{ "v": 1, "not": "<ours>", "not": 2 }`}); err != nil {
		t.Fatal(err)
	}
	before := messages(t, service)
	file := filepath.Join(t.TempDir(), "letters.ndjson")
	execute(t.Context(), "", "dlq", "export", file, "--aws", endpoint).want(t, exitDone, "wrote 5 letters with 6 events to "+file, "")
	if left := messages(t, service); !slices.Equal(before, left) {
		t.Fatalf("after an export the queue holds %q, want %q", left, before)
	}
	execute(t.Context(), "", "dlq", "export", file, "--aws", endpoint).want(t, exitFailed, "", "file exists")

	moved := file + ".moved"
	var sum letterSum
	execute(t.Context(), "", "dlq", "export", moved, "--remove", "--json", "--aws", endpoint).decode(t, &sum)
	if left := messages(t, service); len(left) != 0 || sum != (letterSum{5, 6}) {
		t.Fatalf("moved %+v, left %q; want all gone", sum, left)
	}
	execute(t.Context(), "", "dlq", "import", moved, "--json", "--aws", endpoint).decode(t, &sum)
	if diff := cmp.Diff(before, messages(t, service)); diff != "" || sum != (letterSum{5, 6}) {
		t.Errorf("put back %+v (-before +after):\n%s", sum, diff)
	}
}

func TestDLQExport_Filter_TakesOnlyThose(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	ids := fill(t, service)
	dir := t.TempDir()
	for i, row := range []struct {
		args []string
		want string
		left int
	}{
		{[]string{"--sink", "archive"}, "bad", 3},
		{[]string{"--id", ids["noise"][:9]}, "noise", 2},
		{[]string{"--class", "crashed"}, "crashed", 1},
	} {
		file := filepath.Join(dir, fmt.Sprint(i))
		args := append([]string{"dlq", "export", file, "--remove", "--aws", endpoint}, row.args...)
		execute(t.Context(), "", args...).want(t, exitDone, "moved 1 letter", "")
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), ids[row.want]) || bytes.Count(text, []byte("\n")) != 1 {
			t.Errorf("%v wrote %q, %v; want the letter %s", row.args, text, err, ids[row.want])
		}
		if left := waiting(t, service); left != row.left {
			t.Errorf("%v left %d letters, want %d", row.args, left, row.left)
		}
	}
}

// unsafe is a file whose disk is full, or fails when it is synced.
type unsafe struct{ write, sync error }

func (f unsafe) Write(p []byte) (int, error) { return len(p), f.write }
func (f unsafe) Sync() error                 { return f.sync }

// letterScript is a queue of letters that remembers what was done with them.
type letterScript struct {
	letters  []queue.Received
	deleted  []string
	released []string
}

func (s *letterScript) Receive(context.Context, int, time.Duration, time.Duration) ([]queue.Received, error) {
	letters := s.letters
	s.letters = nil
	return letters, nil
}

func (s *letterScript) Hide(_ context.Context, _ time.Duration, receipts ...string) error {
	s.released = append(s.released, receipts...)
	return nil
}

func (s *letterScript) Delete(_ context.Context, receipts ...string) error {
	s.deleted = append(s.deleted, receipts...)
	return nil
}

// TestDLQExport_Remove_OnlyWhatIsSafe: a file that is not on disk deletes nothing.
func TestDLQExport_Remove_OnlyWhatIsSafe(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		file unsafe
		fine bool
	}{
		{"all is well", unsafe{}, true},
		{"the disk is full", unsafe{write: errors.New("disk full")}, false},
		{"the sync fails", unsafe{sync: errors.New("disk gone")}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			source := &letterScript{letters: []queue.Received{{ID: "m1", Receipt: "r1", Body: []byte("hello")}}}
			export := letterExport{source: source, file: row.file, out: bufio.NewWriter(row.file), remove: true}
			err := export.run(t.Context())
			if (err == nil) != row.fine || (len(source.deleted) == 1) != row.fine || (len(source.released) == 1) == row.fine {
				t.Errorf("error %v, deleted %v, released %v", err, source.deleted, source.released)
			}
		})
	}
}

func TestDLQImport_DamagedFile_PutsNothingBack(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	fill(t, service)
	whole := filepath.Join(t.TempDir(), "whole")
	execute(t.Context(), "", "dlq", "export", whole, "--class", "permanent", "--remove", "--aws", endpoint).want(t, exitDone, "moved 1", "")
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(text))
	left := waiting(t, service)
	for _, row := range []struct{ name, text, err string }{
		{"a line that is cut", line + "\n" + line[:len(line)/2], "line 2: no exported letter"},
		{"another member", line + "\n" + `{"body":"a","message_id":"","sent":"2026-03-01T10:00:00Z","x":1}`, "line 2: no exported letter"},
		{"neither header nor body", `{"message_id":"m"}`, "line 1: no exported letter: it needs either"},
		{"both", `{"header":{},"body":"a"}`, "line 1: no exported letter: it needs either"},
		{"events that were changed", strings.Replace(line, `"events":"`, `"events":"AAAA`, 1), "line 1: damaged letter"},
		{"a header that was changed", strings.Replace(line, `"v":1`, `"v":0`, 1), "line 1: damaged letter"},
		{"a line without end", strings.Repeat("a", maxLineBytes+1), "line 1: bufio.Scanner: token too long"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "letters")
			if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
				t.Fatal(err)
			}
			execute(t.Context(), "", "dlq", "import", file, "--aws", endpoint).want(t, exitFailed, "", row.err)
			if now := waiting(t, service); now != left {
				t.Errorf("%d letters, want %d", now, left)
			}
		})
	}
}

func TestDLQDiscard_DeletesWhatIsMeant(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		args   []string
		answer string
		code   int
		out    string
		err    string
		left   int
	}{
		{"by sink", []string{"--sink", "warehouse", "--yes"}, "", exitDone, "deleted 1 letter with 3 events", `"msg":"discard"`, 3},
		{"everything", []string{"--all", "--yes"}, "", exitDone, "deleted 4 letters with 6 events", `"letters":4,"events":6`, 0},
		{"nothing that fits", []string{"--sink", "none", "--yes"}, "", exitDone, "deleted 0 letters", `"sink":"none"`, 4},
		{"the number is typed", []string{"--all"}, "4\n", exitDone, "deleted 4 letters", "Type 4 to go on: ", 0},
		{"another number is typed", []string{"--all"}, "3\n", exitFailed, "", "nothing was deleted", 4},
		{"yes is typed", []string{"--all"}, "yes\n", exitFailed, "", "nothing was deleted", 4},
		{"nothing says which", []string{"--yes"}, "", exitUsage, "", "say which letters", 4},
		{"two things say which", []string{"--yes", "--all", "--sink", "warehouse"}, "", exitUsage, "", "say which letters", 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			endpoint, service := newSQS(t, nil)
			fill(t, service)
			var out, shown bytes.Buffer
			c := &console{in: strings.NewReader(row.answer), out: &out, err: &shown, interactive: true, getenv: os.Getenv}
			code := run(t.Context(), append([]string{"dlq", "discard", "--aws", endpoint}, row.args...), c)
			outcome{code, out.String(), shown.String()}.want(t, row.code, row.out, row.err)
			if left := waiting(t, service); left != row.left {
				t.Errorf("%d letters are left, want %d", left, row.left)
			}
			if audited := strings.Contains(shown.String(), `"by":"`+whoami()); audited != (row.code == exitDone) {
				t.Errorf("an audit line was written: %v; standard error:\n%s", audited, shown.String())
			}
		})
	}
	execute(t.Context(), "", "dlq", "discard", "--all").want(t, exitUsage, "", "nobody can be asked")
}

func TestDLQDiscard_ByID_WhateverItIs(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	ids := fill(t, service)
	for i, what := range []string{"noise", "down", "crashed"} {
		execute(t.Context(), "", "dlq", "discard", "--yes", "--id", ids[what], "--json", "--aws", endpoint).want(t, exitDone, `{"letters":1,`, "")
		execute(t.Context(), "", "dlq", "show", ids[what], "--aws", endpoint).want(t, exitFailed, "", "no dead letter")
		if left := waiting(t, service); left != 3-i {
			t.Errorf("%d letters are left, want %d", left, 3-i)
		}
	}
}

// TestDLQDiscard_WhatArrivesMeanwhileStays: only letters that were counted are deleted.
func TestDLQDiscard_WhatArrivesMeanwhileStays(t *testing.T) {
	t.Parallel()
	source := &letterScript{}
	doomed := map[string]bool{"old": true}
	receipts := map[string]string{"old": "r1", "new": "r2"}
	var gone letterSum
	letters := []letter{{message: queue.Received{ID: "old"}}, {message: queue.Received{ID: "new"}}}
	if err := discard(t.Context(), source, letters, receipts, doomed, &gone); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(source.deleted, []string{"r1"}) || len(doomed) != 0 || receipts["new"] != "r2" || gone.Letters != 1 {
		t.Errorf("deleted %v, doomed %v, receipts %v, gone %+v", source.deleted, doomed, receipts, gone)
	}
}

func TestDLQShow_ResidueThatSQSMoved(t *testing.T) {
	t.Parallel()
	endpoint, service := newSQS(t, nil)
	residue := refusedBy("warehouse", "throttled", 429)
	residue.Reason.Stop = ""
	id := put(t, service, residue, 2)
	got := execute(t.Context(), "", "dlq", "show", id, "--aws", endpoint)
	for _, want := range []string{
		"SQS moved it here by itself", "Sink warehouse was to be tried again: 3 attempts from ", "throttled, the last answer was 429:\n    upstream said\n    no",
		"millrace replay --sink warehouse --class crashed",
	} {
		got.want(t, exitDone, want, "")
	}
	if strings.Contains(got.out, "did not take it") || strings.Contains(got.out, "No sink has refused it") {
		t.Errorf("the story is %q; nobody gave up", got.out)
	}
}

// FuzzReadExported: what is read is a message that is written as the same line's content again.
func FuzzReadExported(f *testing.F) {
	pack, err := batch.Encode(batch.Meta{Tenant: "acme", Receiver: "generic"}, []event.Event{{ID: "a", Source: "s", Type: "t", Kind: "event", Data: []byte("{}")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(fmt.Sprintf(`{"header":%s,"events":%q}`, pack[0].Body, base64.StdEncoding.EncodeToString(pack[0].Events))))
	f.Add([]byte(`{"body":"hello","message_id":"m","sent":"2026-03-01T10:00:00Z"}`))
	f.Add([]byte(`{"body":"\u0000\ud83d\ude00","events":"AAEC"}`))
	f.Add([]byte(`{"header":{},"body":""}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		read, err := readExported(line)
		if err != nil {
			return
		}
		l := newLetter(queue.Received{Body: []byte(read.Message.Body), Events: read.Message.Events})
		written, err := exportLine(&l)
		if err != nil {
			t.Fatalf("%q, read from %q, cannot be written: %v", read.Message.Body, line, err)
		}
		if !json.Valid(written) || bytes.Count(written, []byte("\n")) != 1 {
			t.Fatalf("%q is not one line of JSON", written)
		}
		again, err := readExported(written)
		if err != nil || again.Message.Body != read.Message.Body || !bytes.Equal(again.Message.Events, read.Message.Events) {
			t.Fatalf("%q became %q, then %q, %v", line, written, again.Message.Body, err)
		}
	})
}
