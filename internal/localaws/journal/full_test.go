package journal_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// smallDisk is a disk with so many bytes left.
type smallDisk struct {
	vfs.FS
	left atomic.Int64
}

func (d *smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: uint64(max(0, d.left.Load()))}, nil
}

func (d *smallDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := d.FS.Create(name, category)
	return smallFile{file, d}, err
}

func (d *smallDisk) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := d.FS.ReuseForWrite(old, name, category)
	return smallFile{file, d}, err
}

// smallFile fails as a full disk does.
type smallFile struct {
	vfs.File
	disk *smallDisk
}

func (f smallFile) Write(p []byte) (int, error) {
	if f.disk.left.Add(-int64(len(p))) < 0 {
		return 0, syscall.ENOSPC
	}
	return f.File.Write(p)
}

func TestJournal_Full_LeavesAReserve(t *testing.T) {
	t.Parallel()
	disk := &smallDisk{FS: vfs.NewMem()}
	disk.left.Store(journal.ReserveBytes + 1<<20)
	j := open(t, journal.Options{Dir: "data", FileSystem: disk})
	defer shut(t, j)
	if j.Full() {
		t.Fatal("full with a megabyte above the reserve")
	}
	disk.left.Store(journal.ReserveBytes - 1)
	if !j.Full() {
		t.Fatal("not full below the reserve")
	}
	j.Delete([]byte("k"))
	if err := j.Submit().Wait(); err != nil {
		t.Errorf("the reserve is there for deletes, and: %v", err)
	}
}

func TestJournal_NoSpaceAtAll(t *testing.T) {
	t.Parallel()
	disk := &smallDisk{FS: vfs.NewMem()}
	disk.left.Store(1 << 20)
	j := open(t, journal.Options{Dir: "data", FileSystem: disk})
	j.Set([]byte("good"), []byte("kept"))
	if err := j.Submit().Wait(); err != nil {
		t.Fatal(err)
	}
	disk.left.Store(0)
	j.Set([]byte("bad"), []byte(strings.Repeat("x", 100_000)))
	err := j.Submit().Wait()
	if !errors.Is(err, journal.ErrStopped) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "make room") {
		t.Fatalf("got %v, want ErrStopped because of ENOSPC, with what to do", err)
	}
	j.Set([]byte("worse"), nil)
	if err := j.Submit().Wait(); !errors.Is(err, journal.ErrStopped) || !errors.Is(j.Err(), journal.ErrStopped) {
		t.Errorf("after that: %v and %v, want ErrStopped", err, j.Err())
	}
	if err := j.Close(); !errors.Is(err, journal.ErrStopped) {
		t.Errorf("Close = %v, want ErrStopped", err)
	}
	disk.left.Store(1 << 30)
	j = open(t, journal.Options{Dir: "data", FileSystem: disk})
	defer shut(t, j)
	if got := content(t, j, "good"); len(got) != 1 {
		t.Errorf("what was acknowledged is gone: %v", got)
	}
}

// TestOpen_NoSpaceAtAll starts on a full disk, in a process of its own: what pebble leaves behind then ends with that.
func TestOpen_NoSpaceAtAll(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", t.Name())
	child.Env = append(os.Environ(), fullDiskChild+"=yes")
	if os.Getenv(fullDiskChild) == "" {
		if output, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%.3000s", err, output)
		}
		return
	}
	for left := int64(0); left < 2000; left += 10 {
		for _, changes := range []int{0, 10} {
			disk := &smallDisk{FS: vfs.NewMem()}
			if changes > 0 {
				disk.left.Store(1 << 20)
				keep(t, disk, changes)
			}
			disk.left.Store(left)
			j, err := journal.Open(journal.Options{Dir: "data", Version: 1, FileSystem: disk})
			if err == nil {
				err = j.Close()
			}
			if text := fmt.Sprint(err); err != nil && (!strings.Contains(text, "no space left on device") || !strings.Contains(text, "data directory data")) {
				t.Errorf("%d bytes left: %v, want what is missing with the directory", left, err)
			}
		}
	}
	if t.Failed() {
		return
	}
	os.Exit(0) // not by way of the search for goroutines
}

const fullDiskChild = "JOURNAL_TEST_FULL_DISK"

// keep leaves a directory with that many changes.
func keep(t *testing.T, disk vfs.FS, changes int) {
	t.Helper()
	j := open(t, journal.Options{Dir: "data", FileSystem: disk})
	for i := range changes {
		j.Set(fmt.Append(nil, i), []byte("kept"))
	}
	j.Submit()
	shut(t, j)
}

// TestJournal_Close_NoSeal leaves a directory as after a crash: Close says so, and everything is there.
func TestJournal_Close_NoSeal(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	j := open(t, journal.Options{Dir: "data", FileSystem: blindDisk{disk, "marker.seal.000002"}}) // the one of Close
	j.Set([]byte("good"), []byte("kept"))
	if err := j.Submit().Wait(); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "data directory data") {
		t.Errorf("Close = %v, want EIO with the directory", err)
	}
	j = open(t, journal.Options{Dir: "data", FileSystem: disk})
	defer shut(t, j)
	if got := content(t, j, "good"); len(got) != 1 {
		t.Errorf("what was acknowledged is gone: %v", got)
	}
}

// blindDisk cannot read or make one file.
type blindDisk struct {
	vfs.FS
	part string // of its name
}

func (d blindDisk) Open(name string, options ...vfs.OpenOption) (vfs.File, error) {
	if strings.Contains(name, d.part) {
		return nil, syscall.EIO
	}
	return d.FS.Open(name, options...)
}

func (d blindDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.Contains(name, d.part) {
		return nil, syscall.EIO
	}
	return d.FS.Create(name, category)
}

// TestOpen_UnreadableSeal does not start where it cannot tell whether all is there.
func TestOpen_UnreadableSeal(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"marker.seal", ".log"} {
		disk := vfs.NewMem()
		shut(t, open(t, journal.Options{Dir: "data", FileSystem: disk}))
		_, err := journal.Open(journal.Options{Dir: "data", Version: 1, FileSystem: blindDisk{disk, part}})
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "data directory data") {
			t.Errorf("%s: Open = %v, want EIO with the directory", part, err)
		}
	}
}

// TestJournal_NoSpaceAtAll_ManyOnTheirWay goes on submitting while the first one that failed is not known yet.
func TestJournal_NoSpaceAtAll_ManyOnTheirWay(t *testing.T) {
	t.Parallel()
	for range 50 {
		disk := &smallDisk{FS: vfs.NewMem()}
		disk.left.Store(1 << 20)
		j := open(t, journal.Options{Dir: "data", FileSystem: disk})
		var tickets []*journal.Ticket
		for i := range 100 {
			j.Set(fmt.Appendf(nil, "k%04d", i), []byte(strings.Repeat("x", 30_000)))
			tickets = append(tickets, j.Submit())
		}
		good := 0
		for _, ticket := range tickets {
			if err := ticket.Wait(); err == nil {
				good++
			} else if !errors.Is(err, journal.ErrStopped) {
				t.Fatalf("got %v, want ErrStopped", err)
			}
		}
		if err := j.Close(); !errors.Is(err, journal.ErrStopped) {
			t.Errorf("Close = %v, want ErrStopped", err)
		}
		disk.left.Store(1 << 30)
		j = open(t, journal.Options{Dir: "data", FileSystem: disk})
		if got := len(content(t, j, "k")); got < good || good == len(tickets) {
			t.Errorf("%d of %d were acknowledged, and %d are there", good, len(tickets), got)
		}
		shut(t, j)
	}
}
