package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	keeper.fileBytes = 1 // a file for each line
	var first []string
	for n := range keptFiles + 3 {
		telemetry.AcceptedLog(keeper)(t.Context(), []event.Event{ev("acme", "web", strings.Repeat("x", n+1))})
		if n == 0 {
			first, _ = KeptFiles(directory)
		}
	}
	files, err := KeptFiles(directory)
	if err != nil || len(files) != keptFiles || slices.Contains(files, first[0]) || !slices.IsSorted(files) {
		t.Errorf("%d files, %v: want the newest %d, the oldest first", len(files), err, keptFiles)
	}
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	newest, err := os.ReadFile(files[len(files)-1])
	if want := strings.Repeat("x", keptFiles+3); err != nil || !bytes.Contains(newest, []byte(`"`+want+`"`)) {
		t.Errorf("the newest file is %s, %v; want the last event in it", newest, err)
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
