//go:build linux

package filesink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/filesink"
	"github.com/millrace-dev/millrace/pkg/sink/record"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

// The test binary is also the other processes that append to the same file.
const (
	appendTo = "FILESINK_TEST_APPEND_TO"
	appendID = "FILESINK_TEST_APPEND_ID"
	overfill = "FILESINK_TEST_OVERFILL"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(appendTo); path != "" {
		appendBatches(path, os.Getenv(appendID))
		return
	}
	if path := os.Getenv(overfill); path != "" {
		overfillFile(path)
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	processes         = 4
	batchesPerProcess = 25
	eventsPerBatch    = 40
)

// appendBatches is one process: the events of a batch have ids "process/batch/event".
func appendBatches(path, process string) {
	file, err := filesink.NewFile(filesink.Options{Path: path, Durability: filesink.Buffered})
	if err != nil {
		panic(err)
	}
	for b := range batchesPerProcess {
		events := make([]event.Event, eventsPerBatch)
		for i := range events {
			events[i] = sinktest.NewEvent(i)
			events[i].ID = fmt.Sprintf("%s/%d/%d", process, b, i)
			events[i].Data = fmt.Appendf(nil, `{"padding":%q}`, strings.Repeat("x", 1000))
		}
		if _, err := file.Send(context.Background(), sinktest.NewBatch(events...)); err != nil {
			panic(err)
		}
	}
}

func newFile(t *testing.T, path string) *filesink.File {
	t.Helper()
	file, err := filesink.NewFile(filesink.Options{Name: "test", Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func readIDs(t *testing.T, data []byte) []string {
	t.Helper()
	ids, err := sinktest.RecordIDs(&sinktest.Request{Body: data})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return data
}

func TestFile_Contract(t *testing.T) {
	t.Parallel()
	for name, durability := range map[string]filesink.Durability{"synced": filesink.Synced, "buffered": filesink.Buffered} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sinktest.Run(t, sinktest.Suite{New: func(t *testing.T) sinktest.Fixture {
				path := filepath.Join(t.TempDir(), "new", "directories", "events.ndjson")
				file, err := filesink.NewFile(filesink.Options{Path: path, Durability: durability})
				if err != nil {
					t.Fatal(err)
				}
				return sinktest.Fixture{Sink: file, Arrived: func(t *testing.T) []string { return readIDs(t, readFile(t, path)) }}
			}})
		})
	}
}

func TestFile_Send_WritesRecordsOneALine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	file := newFile(t, path)
	b := sinktest.NewBatch(sinktest.NewEvent(0), sinktest.NewEvent(1))
	for range 2 {
		if _, err := file.Send(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	want := bytes.Repeat(record.AppendLines(nil, b.Events), 2)
	if diff := cmp.Diff(string(want), string(readFile(t, path))); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o600 != 0o600 {
		t.Errorf("mode = %v, %v; want readable and writable for its owner", info.Mode(), err)
	}
}

func TestFile_Send_StartsOnNewLineAfterTornOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	const torn = `{"id":"whole"}` + "\n" + `{"id":"hal`
	if err := os.WriteFile(path, []byte(torn), 0o600); err != nil {
		t.Fatal(err)
	}
	b := sinktest.NewBatch(sinktest.NewEvent(0))
	if _, err := newFile(t, path).Send(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	want := torn + "\n" + string(record.AppendLines(nil, b.Events))
	if diff := cmp.Diff(want, string(readFile(t, path))); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

func TestFile_Send_FollowsRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	file := newFile(t, path)
	for i, after := range []func() error{
		func() error { return os.Rename(path, path+".1") },
		func() error { return os.RemoveAll(filepath.Dir(path)) },
		func() error { return nil },
	} {
		if _, err := file.Send(t.Context(), sinktest.NewBatch(sinktest.NewEvent(i))); err != nil {
			t.Fatal(err)
		}
		want := []string{sinktest.NewEvent(i).ID}
		if diff := cmp.Diff(want, readIDs(t, readFile(t, path))); diff != "" {
			t.Errorf("ids in the file after batch %d (-want +got):\n%s", i, diff)
		}
		if err := after(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFile_Send_ManyProcesses: batches of several processes do not interleave.
func TestFile_Send_ManyProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	var group sync.WaitGroup
	for i := range processes {
		command := exec.CommandContext(t.Context(), os.Args[0])
		command.Env = append(os.Environ(), appendTo+"="+path, fmt.Sprintf("%s=%d", appendID, i))
		group.Go(func() {
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	group.Wait()
	ids := readIDs(t, readFile(t, path))
	if want := processes * batchesPerProcess * eventsPerBatch; len(ids) != want {
		t.Fatalf("the file has %d records, want %d", len(ids), want)
	}
	seen := map[string]bool{}
	for b := range slices.Chunk(ids, eventsPerBatch) {
		prefix, _, _ := strings.Cut(b[0], "/0")
		for i, id := range b {
			name := id[:strings.LastIndexByte(id, '/')]
			if want := fmt.Sprintf("%s/%d", name, i); id != want || !strings.HasPrefix(b[0], name+"/") {
				t.Fatalf("batch %s: record %d is %s, want %s", prefix, i, id, want)
			}
		}
		seen[b[0]] = true
	}
	if len(seen) != processes*batchesPerProcess {
		t.Errorf("%d different batches, want %d", len(seen), processes*batchesPerProcess)
	}
}

// TestFile_Send_LockHeld: a batch waits for another process, and not longer than ctx.
func TestFile_Send_LockHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "events.ndjson")
		holder, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer holder.Close()
		if err := syscall.Flock(int(holder.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		file, b := newFile(t, path), sinktest.NewBatch(sinktest.NewEvent(0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = file.Send(ctx, b)
		if o := sink.OutcomeOf(err, true); err == nil || o.Class != retry.Cancelled {
			t.Errorf("Send while the lock is held: got %v, want cancelled", err)
		}
		if data := readFile(t, path); len(data) != 0 {
			t.Errorf("the file has %q, want nothing", data)
		}
		time.AfterFunc(time.Minute, func() { holder.Close() })
		if _, err := file.Send(t.Context(), b); err != nil {
			t.Errorf("Send after the lock is free: %v", err)
		}
	})
}

// TestFile_Send_PartWritten: a batch that fits only in part leaves nothing behind.
func TestFile_Send_PartWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	first := sinktest.NewBatch(sinktest.NewEvent(0))
	if _, err := newFile(t, path).Send(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), overfill+"="+path)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("the process that overfills: %v\n%s", err, out)
	}
	if diff := cmp.Diff(string(record.AppendLines(nil, first.Events)), string(readFile(t, path))); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

// overfillFile runs in a process of its own, because the limit holds for all of it.
func overfillFile(path string) {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 2000, Max: 2000}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	file, err := filesink.NewFile(filesink.Options{Path: path})
	if err != nil {
		panic(err)
	}
	events := make([]event.Event, 100)
	for i := range events {
		events[i] = sinktest.NewEvent(i)
	}
	_, err = file.Send(context.Background(), sinktest.NewBatch(events...))
	if o := sink.OutcomeOf(err, false); o.Verdict != sink.Retry || o.Class != retry.Transient {
		panic(fmt.Sprintf("got %+v, want retry (transient)", o))
	}
}

func TestFile_Send_Failures(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		path  func(directory string) string
		class retry.Class
	}{
		{"the disk is full", func(string) string { return "/dev/full" }, retry.Transient},
		{"the path is a directory", func(directory string) string { return directory }, retry.Setup},
		{"a directory of the path is a file", func(directory string) string {
			file := filepath.Join(directory, "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				panic(err)
			}
			return filepath.Join(file, "events.ndjson")
		}, retry.Setup},
		{"the name is too long", func(directory string) string { return filepath.Join(directory, strings.Repeat("x", 300)) }, retry.Setup},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := newFile(t, c.path(t.TempDir())).Send(t.Context(), sinktest.NewBatch(sinktest.NewEvent(0)))
			var failure *sink.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("Send: got %v, want a *sink.Failure", err)
			}
			if o := failure.Outcome; o.Verdict != sink.Retry || o.Class != c.class {
				t.Errorf("got %s (%s: %s), want retry (%s)", o.Verdict, o.Class, o.Cause, c.class)
			}
		})
	}
}

func TestNewFile_ReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := filesink.NewFile(filesink.Options{Name: "archive", MaxEvents: -1, MaxBytes: -1, Durability: 9})
	if err == nil {
		t.Fatal("NewFile: got no error")
	}
	for _, want := range []string{`sink "archive"`, "path", "max_events", "max_bytes", "durability"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("NewFile: %q does not say %q", err, want)
		}
	}
}

func BenchmarkFile_Send(b *testing.B) {
	for name, durability := range map[string]filesink.Durability{"synced": filesink.Synced, "buffered": filesink.Buffered} {
		b.Run(name, func(b *testing.B) {
			file, err := filesink.NewFile(filesink.Options{Path: filepath.Join(b.TempDir(), "events.ndjson"), Durability: durability})
			if err != nil {
				b.Fatal(err)
			}
			events := make([]event.Event, 500)
			for i := range events {
				events[i] = sinktest.NewEvent(i)
				events[i].Data = fmt.Appendf(nil, `{"padding":%q}`, strings.Repeat("x", 850))
			}
			batch := sinktest.NewBatch(events...)
			b.SetBytes(int64(len(record.AppendLines(nil, events))))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := file.Send(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
