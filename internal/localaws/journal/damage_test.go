package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// written makes a data directory as a kill -9 leaves it, with n changes in one log, and returns the log's path.
func written(t *testing.T, dir string, n int) (log string) {
	t.Helper()
	running := t.TempDir()
	j := open(t, journal.Options{Dir: running})
	for i := range n {
		j.Set(fmt.Appendf(nil, "k%04d", i), []byte(strings.Repeat("v", 1000)))
		if err := j.Submit().Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(dir, os.DirFS(running)); err != nil {
		t.Fatal(err)
	}
	shut(t, j)
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log in %s: %v", dir, err)
	}
	return logs[len(logs)-1]
}

func TestOpen_TornTail(t *testing.T) {
	t.Parallel()
	const n = 50
	for _, cut := range []int64{1, 7, 500, 1100, 5000} {
		t.Run(fmt.Sprintf("%d bytes short", cut), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			log := written(t, dir, n)
			end := lastByte(t, log)
			if err := os.Truncate(log, end-cut); err != nil {
				t.Fatal(err)
			}
			j := open(t, journal.Options{Dir: dir})
			defer shut(t, j)
			got := content(t, j, "k")
			lost := n - len(got)
			if most := int(cut/1000) + 2; lost < 1 || lost > most {
				t.Errorf("lost %d changes, want 1 to %d", lost, most)
			}
			for i := range len(got) {
				if _, ok := got[fmt.Sprintf("k%04d", i)]; !ok {
					t.Errorf("change %d is missing, and a later one is there", i)
				}
			}
		})
	}
}

// lastByte is where the log ends before the zeros that were allocated ahead.
func lastByte(t *testing.T, path string) int64 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(strings.TrimRight(string(data), "\x00")))
}

// TestOpen_FlippedBit damages one bit anywhere but in the last two blocks of the log: the directory is refused with what to do.
func TestOpen_FlippedBit(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	name := filepath.Base(written(t, whole, 650))
	for part := range 9 {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		log := filepath.Join(dir, name)
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		data[lastByte(t, log)*int64(part)/10] ^= 0x10
		if err := os.WriteFile(log, data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := journal.Open(journal.Options{Dir: dir, Version: 1})
		if err == nil {
			t.Errorf("at %d/10: opened with %d changes", part, len(content(t, j, "k")))
			shut(t, j)
			continue
		}
		if !errors.Is(err, journal.ErrCorrupt) || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("at %d/10: got %v, want ErrCorrupt with what to do", part, err)
		}
	}
}

// TestOpen_FlippedBitInATable damages what compaction wrote.
func TestOpen_FlippedBitInATable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	want := map[string]string{}
	for i := range 200 {
		key, value := fmt.Sprintf("k%04d", i), strings.Repeat(fmt.Sprint(i), 300)
		want[key] = value
		j.Set([]byte(key), []byte(value))
	}
	j.Submit()
	shut(t, j)
	shut(t, open(t, journal.Options{Dir: dir})) // replaying the log writes a table
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no table in %s: %v", dir, err)
	}
	data, err := os.ReadFile(tables[len(tables)-1])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/3] ^= 1
	if err := os.WriteFile(tables[len(tables)-1], data, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err = journal.Open(journal.Options{Dir: dir, Version: 1})
	if err == nil {
		got := map[string]string{}
		err = j.Each([]byte("k"), func(key, value []byte) error {
			got[string(key)] = string(value)
			return nil
		})
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			t.Errorf("read without an error, and (-want +got):\n%s", diff)
		}
		defer shut(t, j)
	}
	if !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

// TestOpen_DamageAfterACleanClose damages a closed directory, every file of it in every region: it is refused with what to do, or all is there.
func TestOpen_DamageAfterACleanClose(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	j := open(t, journal.Options{Dir: whole})
	for i := range 40 {
		j.Set(fmt.Appendf(nil, "k%04d", i), []byte(strings.Repeat("v", 1000)))
	}
	j.Submit()
	shut(t, j)
	j = open(t, journal.Options{Dir: whole}) // replaying the log writes a table
	want := content(t, j, "k")
	j.Set([]byte("k9999"), []byte("in the log"))
	want["k9999"] = "in the log"
	j.Submit()
	shut(t, j)
	files, err := os.ReadDir(whole)
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string]func(data []byte) []byte{
		"torn":    func(data []byte) []byte { return data[:len(data)-1] },
		"emptied": func([]byte) []byte { return nil },
	}
	const regions = 16
	for part := range regions {
		damage[fmt.Sprintf("flipped at %d/%d", part, regions)] = func(data []byte) []byte {
			data[len(data)*part/regions] ^= 0x10
			return data
		}
	}
	for _, file := range files {
		for how, change := range damage {
			refusesOrKeeps(t, whole, want, file.Name()+" "+how, func(dir string) error {
				path := filepath.Join(dir, file.Name())
				data, err := os.ReadFile(path)
				if err != nil || len(data) == 0 {
					return err
				}
				return os.WriteFile(path, change(data), 0o600)
			})
		}
		if file.Name() == "LOCK" || strings.HasPrefix(file.Name(), "marker.seal") {
			continue
		}
		refusesOrKeeps(t, whole, want, file.Name()+" removed", func(dir string) error { return os.Remove(filepath.Join(dir, file.Name())) })
	}
}

// refusesOrKeeps opens a damaged copy of a directory.
func refusesOrKeeps(t *testing.T, whole string, want map[string]string, name string, damage func(dir string) error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := errors.Join(os.CopyFS(dir, os.DirFS(whole)), damage(dir)); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(journal.Options{Dir: dir, Version: 1})
	if err == nil {
		defer shut(t, j)
		got := map[string]string{}
		err = j.Each([]byte("k"), func(key, value []byte) error {
			got[string(key)] = string(value)
			return nil
		})
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			t.Errorf("%s: read without an error, and (-want +got):\n%.400s", name, diff)
		}
	}
	if err != nil && (!errors.Is(err, journal.ErrCorrupt) || !strings.Contains(err.Error(), "move it away")) {
		t.Errorf("%s: %v, want ErrCorrupt with what to do", name, err)
	}
}
