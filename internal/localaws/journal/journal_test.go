package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a journal that the test closes.
func open(t testing.TB, options journal.Options) *journal.Journal {
	t.Helper()
	if options.Version == 0 {
		options.Version = 1
	}
	j, err := journal.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func shut(t testing.TB, j *journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// content reads everything under a prefix.
func content(t testing.TB, j *journal.Journal, prefix string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := j.Each([]byte(prefix), func(key, value []byte) error {
		all[string(key)] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestJournal_ComesBackAsItWas(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "here")
	j := open(t, journal.Options{Dir: dir})
	j.Set([]byte("a1"), []byte("one"))
	j.Set([]byte("a2"), []byte("two"))
	j.SetSoon([]byte("a3"), []byte("three"))
	j.Set([]byte("a\xff4"), []byte("four"))
	j.Set([]byte("b1"), []byte("other"))
	if err := j.Submit().Wait(); err != nil {
		t.Fatal(err)
	}
	j.Delete([]byte("a1"))
	j.DeletePrefix([]byte("a\xff"))
	j.Submit() // nobody waits: Close must
	shut(t, j)
	shut(t, j)

	j = open(t, journal.Options{Dir: dir})
	defer shut(t, j)
	if diff := cmp.Diff(map[string]string{"a2": "two", "a3": "three"}, content(t, j, "a")); diff != "" {
		t.Errorf("after the restart (-want +got):\n%s", diff)
	}
	if got, err := j.Get([]byte("a2")); string(got) != "two" || err != nil {
		t.Errorf("Get = %q, %v; want two", got, err)
	}
	if got, err := j.Get([]byte("a")); got != nil || err != nil {
		t.Errorf("Get of what is not there = %q, %v", got, err)
	}
	if err := j.Submit().Wait(); err != nil || j.Full() || j.Err() != nil {
		t.Errorf("an idle journal: Wait = %v, Full = %v, Err = %v", err, j.Full(), j.Err())
	}
}

func TestJournal_Nil_KeepsNothing(t *testing.T) {
	t.Parallel()
	var j *journal.Journal
	j.Set([]byte("a"), nil)
	j.SetSoon([]byte("a"), nil)
	j.Delete([]byte("a"))
	j.DeletePrefix([]byte("a"))
	if err := errors.Join(j.Submit().Wait(), j.Err(), j.Close()); err != nil || j.Full() {
		t.Errorf("a nil journal fails: %v", err)
	}
}

func TestJournal_Submit_AfterCloseFails(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir()})
	shut(t, j)
	if err := j.Submit().Wait(); err != nil {
		t.Errorf("nothing was recorded, and Wait = %v", err)
	}
	j.Set([]byte("k"), nil)
	_, reading := j.Get([]byte("k"))
	for name, err := range map[string]error{"Wait": j.Submit().Wait(), "Get": reading, "Err": j.Err()} {
		if !errors.Is(err, journal.ErrStopped) {
			t.Errorf("%s = %v, want ErrStopped", name, err)
		}
	}
}

// TestJournal_PowerCut takes the power away at a random moment under load: every change whose ticket was good is there, each
// change as a whole, in order.
func TestJournal_PowerCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		disk := vfs.NewCrashableMem()
		j := open(t, journal.Options{Dir: "data", FileSystem: disk})
		workers := rapid.IntRange(1, 4).Draw(rt, "workers")
		changes := rapid.IntRange(1, 40).Draw(rt, "changes")
		var owner sync.Mutex // what the owner of a journal has
		var running sync.WaitGroup
		acknowledged := make([]int, workers)
		var crashed *vfs.MemFS
		cut := rapid.IntRange(0, workers*changes-1).Draw(rt, "cut")
		done := 0
		var atCut []int
		for w := range workers {
			running.Go(func() {
				for n := 1; n <= changes; n++ {
					owner.Lock()
					j.Set(fmt.Appendf(nil, "%d.left", w), fmt.Append(nil, n))
					j.Set(fmt.Appendf(nil, "%d.right", w), fmt.Append(nil, n))
					ticket := j.Submit()
					owner.Unlock()
					if err := ticket.Wait(); err != nil {
						panic(err)
					}
					owner.Lock()
					acknowledged[w] = n
					if done == cut {
						atCut, crashed = append([]int(nil), acknowledged...), disk.CrashClone(vfs.CrashCloneCfg{})
					}
					done++
					owner.Unlock()
				}
			})
		}
		running.Wait()
		shut(t, j)
		after := open(t, journal.Options{Dir: "data", FileSystem: crashed})
		defer shut(t, after)
		for w, n := range atCut {
			got := content(t, after, fmt.Sprintf("%d.", w))
			var left, right int
			_, _ = fmt.Sscan(got[fmt.Sprintf("%d.left", w)], &left)
			_, _ = fmt.Sscan(got[fmt.Sprintf("%d.right", w)], &right)
			if left != right || left < n {
				rt.Fatalf("worker %d: left %d, right %d, want the same and at least %d", w, left, right, n)
			}
		}
	})
}

func TestOpen_SecondOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir})
	defer shut(t, j)
	_, err := journal.Open(journal.Options{Dir: dir, Version: 1})
	if !errors.Is(err, journal.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want ErrInUse that names the directory", err)
	}
}

func TestOpen_NewerVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shut(t, open(t, journal.Options{Dir: dir, Version: 8}))
	if _, err := journal.Open(journal.Options{Dir: dir, Version: 7}); !errors.Is(err, journal.ErrNewer) || !strings.Contains(err.Error(), "update this program") {
		t.Errorf("got %v, want ErrNewer with what to do", err)
	}
	shut(t, open(t, journal.Options{Dir: dir, Version: 9}))
	marker, err := filepath.Glob(filepath.Join(dir, "marker.format-version.*"))
	if err != nil || len(marker) == 0 {
		t.Fatalf("no format marker in %s: %v", dir, err)
	}
	err = os.Rename(marker[len(marker)-1], filepath.Join(dir, "marker.format-version.000999.999"))
	if err := errors.Join(err, breakSeal(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(journal.Options{Dir: dir, Version: 9}); !errors.Is(err, journal.ErrNewer) {
		t.Errorf("a newer format of the store: got %v, want ErrNewer", err)
	}
}

// breakSeal makes a closed directory look like one of a journal that was killed.
func breakSeal(dir string) error {
	seals, err := filepath.Glob(filepath.Join(dir, "marker.seal.*"))
	if err == nil && len(seals) != 1 {
		err = fmt.Errorf("%d seals in %s", len(seals), dir)
	}
	if err != nil {
		return err
	}
	return os.Remove(seals[0])
}

func TestOpen_NoDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(journal.Options{Dir: filepath.Join(file, "data"), Version: 1}); err == nil {
		t.Error("a directory in a file was opened")
	}
}
