package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// open begins a log with small files.
func open(t *testing.T, path string, maximum int64) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	f.maximum = maximum
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func write(t *testing.T, f *File, line string) {
	t.Helper()
	if n, err := f.Write([]byte(line)); err != nil || n != len(line) {
		t.Fatalf("Write: %d, %v", n, err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestFile_Write_KeepsFiveOldFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.log")
	f := open(t, path, 10)
	for i := range 8 {
		write(t, f, fmt.Sprintf("line %d--\n", i)) // nine bytes: one fits
	}
	for age, want := range []string{"line 7--\n", "line 6--\n", "line 5--\n", "line 4--\n", "line 3--\n", "line 2--\n"} {
		name := path
		if age > 0 {
			name = Backup(path, age)
		}
		if got := read(t, name); got != want {
			t.Errorf("%s holds %q, want %q", filepath.Base(name), got, want)
		}
	}
	if _, err := os.Stat(Backup(path, Backups+1)); !os.IsNotExist(err) {
		t.Errorf("a sixth old file: %v", err)
	}
}

func TestFile_Open_GoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.log")
	first := open(t, path, 12)
	write(t, first, "before\n")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, path, 12)
	write(t, second, "on\n")
	write(t, second, "full\n")
	if got := read(t, path) + read(t, Backup(path, 1)); got != "full\nbefore\non\n" {
		t.Errorf("got %q", got)
	}
}

func TestFile_Write_OneLineLongerThanAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.log")
	f := open(t, path, 10)
	long := strings.Repeat("x", 100) + "\n"
	write(t, f, long)
	write(t, f, "next\n")
	if got := read(t, Backup(path, 1)); got != long {
		t.Errorf("got %q", got)
	}
}

func TestFile_Write_ConcurrentLinesStayWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.log")
	f := open(t, path, 4000)
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for range 50 {
				if _, err := fmt.Fprintf(f, "%d\n", 1000+i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if got := strings.Count(read(t, path), "\n"); got != 400 {
		t.Errorf("%d lines, want 400", got)
	}
}

func TestFile_Write_GoesOnWhenItCannotRename(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.log")
	for age := 1; age <= Backups; age++ {
		if err := os.MkdirAll(filepath.Join(Backup(path, age), "in the way"), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	f := open(t, path, 10)
	write(t, f, "one------\n")
	write(t, f, "two------\n")
	if got := read(t, path); got != "one------\ntwo------\n" {
		t.Errorf("got %q", got)
	}
}

func TestOpen_NoDirectory(t *testing.T) {
	t.Parallel()
	if _, err := Open(filepath.Join(t.TempDir(), "none", "f.log")); err == nil {
		t.Error("no error")
	}
}
