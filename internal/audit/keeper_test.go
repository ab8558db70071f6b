package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func TestKeeper_KeepsAcceptedLinesAndPassesTheOthersOn(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "accepted")
	var rest bytes.Buffer
	keeper := NewKeeper(directory, &rest)
	if files, err := KeptFiles(directory); err != nil || len(files) > 0 {
		t.Errorf("before anything was accepted: %v, %v; want no files", files, err)
	}
	_, _ = keeper.Write([]byte(`{"message":"hello"}` + "\n"))
	telemetry.AcceptedLog(keeper)(t.Context(), []event.Event{ev("acme", "web", "1")})
	_, _ = keeper.Write([]byte(`{"message":"bye"}` + "\n"))
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	if err := keeper.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if got, want := rest.String(), "{\"message\":\"hello\"}\n{\"message\":\"bye\"}\n"; got != want {
		t.Errorf("passed on %q, want %q", got, want)
	}
	files, err := KeptFiles(directory)
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v; want one", files, err)
	}
	counts, _ := compared(t, &Journal{Files: files}, &Whereabouts{}, outputOf(record("acme", "web", "1")))
	if counts != (Counts{Accepted: 1, Delivered: 1}) {
		t.Errorf("counts %+v, want one event, delivered", counts)
	}
}

func TestKeeper_BeginsNewFilesAndRemovesTheOldest(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	keeper := NewKeeper(directory, errWriter{})
	keeper.fileBytes, keeper.maximum = 1, 10_000                                             // a file for each line
	line := func(n int) string { return fmt.Sprintf(`{"accepted":{"n":"%-980d"}}`+"\n", n) } // 1,002 bytes
	var first []string
	for n := range 20 {
		if _, err := keeper.Write([]byte(line(n))); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first, _ = KeptFiles(directory)
		}
	}
	files, err := KeptFiles(directory)
	if err != nil || len(files) != 10 || slices.Contains(files, first[0]) || !slices.IsSorted(files) {
		t.Errorf("%d files, %v: want the newest 10, the oldest first", len(files), err)
	}
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	if newest, err := os.ReadFile(files[len(files)-1]); err != nil || string(newest) != line(19) {
		t.Errorf("the newest file is %s, %v; want the last line", newest, err)
	}
}

// Sixteen starts used to remove everything from before.
func TestKeeper_ManyStarts_KeepWhatIsSmall(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	for range 40 {
		keeper := NewKeeper(directory, errWriter{})
		telemetry.AcceptedLog(keeper)(t.Context(), []event.Event{ev("acme", "web", "1")})
		if err := keeper.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := KeptFiles(directory); err != nil || len(files) != 40 {
		t.Errorf("%d files, %v; want all 40", len(files), err)
	}
}

// A file that could not be removed used to cost a line.
func TestKeeper_KeepsALineWhenItCannotRemove(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	if err := os.MkdirAll(filepath.Join(directory, "0.ndjson", "occupied"), 0o750); err != nil {
		t.Fatal(err)
	}
	keeper := NewKeeper(directory, errWriter{})
	keeper.fileBytes, keeper.maximum = 1, 1
	for _, line := range []string{"{\"accepted\":{}}\n", "{\"accepted\":{ }}\n"} {
		if _, err := keeper.Write([]byte(line)); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	if err := keeper.Close(); err != nil {
		t.Error(err)
	}
}

type errWriter struct{}

func (errWriter) Write([]byte) (int, error) { return 0, errors.New("nobody should write here") }

func TestKeeper_TellsWhenItCannotKeep(t *testing.T) {
	t.Parallel()
	occupied := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	keeper := NewKeeper(occupied, errWriter{})
	if _, err := keeper.Write([]byte(`{"accepted":{}}` + "\n")); err == nil {
		t.Error("a line was kept in a directory that is a file")
	}
	if _, err := KeptFiles(occupied); err == nil {
		t.Error("a file was listed as a directory")
	}
}
