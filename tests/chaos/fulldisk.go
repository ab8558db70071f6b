package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/tests/chaos/oracle"
)

// Fullness is how a disk gets full.
type Fullness int32

const (
	// NearlyFull leaves so little that the embedded AWS refuses what is new. When there is room again, it goes on.
	NearlyFull Fullness = 1 + iota
	// NoSpace fails every write. The embedded AWS has to be started again.
	NoSpace
)

// smallDisk is the machine's disk, with room or without.
type smallDisk struct {
	vfs.FS
	fullness atomic.Int32
}

func (d *smallDisk) is(f Fullness) bool { return Fullness(d.fullness.Load()) == f }

// GetDiskUsage says how much is left.
func (d *smallDisk) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	if d.is(NearlyFull) {
		return vfs.DiskUsage{AvailBytes: 1 << 20}, nil
	}
	return d.FS.GetDiskUsage(path)
}

// Create makes a file that can meet the end of the disk.
func (d *smallDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.wrap(d.FS.Create(name, category))
}

// ReuseForWrite takes a file that is there for another one.
func (d *smallDisk) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.wrap(d.FS.ReuseForWrite(old, name, category))
}

func (d *smallDisk) wrap(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return smallFile{f, d}, nil
}

type smallFile struct {
	vfs.File
	disk *smallDisk
}

func (f smallFile) Write(p []byte) (int, error) {
	if f.disk.is(NoSpace) {
		return 0, syscall.ENOSPC
	}
	return f.File.Write(p)
}

// FullReport is what came of a disk that got full.
type FullReport struct {
	Events int
	// Refused counts the posts that were begun while the disk was full and failed, Accepted those that did not.
	Refused, Accepted int64
	Verdict           oracle.Verdict
}

// FillDisk lets clients post, fills the disk under the embedded AWS until all of them were refused, makes room again and judges what
// became of what had been accepted. Nobody else does any harm.
func FillDisk(ctx context.Context, o Options, f Fullness) (*FullReport, error) {
	disk := &smallDisk{FS: vfs.Default}
	world, err := startWorld(ctx, setup{dist: o.Dist, dir: o.Dir, disk: disk}, newWeather(o.Plan))
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	defer world.close()
	patient, cancel := context.WithTimeout(ctx, o.Plan.Load+DefaultPatience)
	defer cancel()
	crowd := newCrowd(patient, world.server.APIURL())
	report := &FullReport{}
	half := o.Plan.Load / 2 //nolint:mnd // before and after
	until(patient, time.Now().Add(half))
	disk.fullness.Store(int32(f))
	crowd.counts.Store(true)
	for end := time.Now().Add(postTimeout); crowd.failed.Load() < clients && time.Now().Before(end); { // the SDK tries some times first
		until(patient, time.Now().Add(lookEvery))
	}
	report.Refused, report.Accepted = crowd.failed.Load(), crowd.accepted.Load()
	if f == NoSpace {
		world.stop()
	}
	disk.fullness.Store(0)
	if f == NoSpace {
		if err := world.start(patient); err != nil {
			cancel()
			crowd.stop()
			return nil, err
		}
		crowd.move(world.server.APIURL())
	}
	until(patient, time.Now().Add(half))
	crowd.stop()
	world.drain(patient)
	evidence, err := world.evidence(&crowd.sent, AtLeastOnce())
	if err != nil {
		return nil, err
	}
	for name := range evidence.Bound { // what cannot be deleted is handed out again; how often is not the question here
		evidence.Bound[name] = len(evidence.Deliveries[name])
	}
	report.Events, report.Verdict = len(evidence.Events), oracle.Judge(evidence)
	return report, nil
}

// crowd are clients that post while they are told to.
type crowd struct {
	sent             load
	counts           atomic.Bool // posts that are begun from now on
	failed, accepted atomic.Int64
	url              atomic.Pointer[string]
	ending           chan struct{}
	group            sync.WaitGroup
	transport        *http.Transport
}

func newCrowd(ctx context.Context, url string) *crowd {
	c := &crowd{ending: make(chan struct{}), transport: &http.Transport{}}
	c.move(url)
	for number := range clients {
		one := &client{
			load: &c.sent, api: func() string { return *c.url.Load() }, number: number, http: &http.Client{Transport: counting{c}},
			random: rand.New(rand.NewPCG(1, uint64(number))), //nolint:gosec,mnd // repeatable, not secret
		}
		c.group.Go(func() { one.run(ctx, c.ending) })
	}
	return c
}

// move tells the clients where the API is now.
func (c *crowd) move(url string) { c.url.Store(&url) }

// stop lets the clients finish what they have begun.
func (c *crowd) stop() {
	close(c.ending)
	c.group.Wait()
	c.transport.CloseIdleConnections()
}

// counting counts answers.
type counting struct{ *crowd }

// RoundTrip counts an answer, but not to what was under way when the counting began.
func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	counts := c.counts.Load()
	response, err := c.transport.RoundTrip(r)
	switch {
	case !counts:
	case err == nil && response.StatusCode/100 == 2: //nolint:mnd // 2xx
		c.accepted.Add(1)
	default:
		c.failed.Add(1)
	}
	return response, err
}
