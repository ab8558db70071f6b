package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/samples"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/tests/devtest"
)

const (
	requestEvents = 50
	// settings send everything to all sinks, gzip level 1.
	settings = `version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }] # phc_demo
sinks: { %s }
routes: [{ to: [%s] }]
flush: { max_age: 1s }
`
)

// reader is a sink that reads and forgets.
func reader(b *testing.B) string {
	b.Helper()
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(sink.Close)
	return sink.URL
}

// start runs the stack in this process and the functions in their own, with a sink at each
// of the URLs.
func start(b *testing.B, urls ...string) *localaws.Server {
	b.Helper()
	var sinks, names []string
	for i, url := range urls {
		names = append(names, fmt.Sprintf("sink%d", i))
		sinks = append(sinks, fmt.Sprintf(`%s: { type: http, url: "%s" }`, names[i], url))
	}
	path := filepath.Join(b.TempDir(), "millrace.yaml")
	text := fmt.Appendf(nil, settings, strings.Join(sinks, ", "), strings.Join(names, ", "))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		b.Fatal(err)
	}
	root := devtest.Root(b)
	server, err := devstack.Start(b.Context(), devstack.Options{
		Bootstrap:    func(function string) string { return filepath.Join(root, "dist", function, "bootstrap") },
		Environment:  map[string]string{config.EnvConfig: path},
		Log:          func(string) io.Writer { return io.Discard },
		FlushTimeout: 30 * time.Second, Visibility: time.Minute, Window: time.Second,
	})
	if err != nil {
		b.Fatalf("%v (make build makes the binaries)", err)
	}
	b.Cleanup(func() {
		if err := server.Close(context.Background()); err != nil {
			b.Log(err)
		}
	})
	return server
}

// request is the body of a PostHog batch of events of about 1 KB, which can be renewed:
// events that were sent before would be recognised as duplicates.
type request struct {
	body []byte
	ids  []int // where the last twelve digits of each uuid stand
	sent int
}

func newRequest(b *testing.B, n int) *request {
	b.Helper()
	r := &request{}
	var body bytes.Buffer
	body.WriteString(`{"api_key":"phc_demo","batch":[`)
	for i := range n {
		e, err := samples.PostHog(i, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		if i > 0 {
			body.WriteByte(',')
		}
		r.ids = append(r.ids, body.Len()+bytes.Index(e.JSON, []byte(e.ID))+len(e.ID)-12)
		body.Write(e.JSON)
	}
	body.WriteString("]}")
	r.body = body.Bytes()
	return r
}

// next returns the body with new uuids.
func (r *request) next() []byte {
	for _, at := range r.ids {
		r.sent++
		copy(r.body[at:at+12], fmt.Sprintf("%012d", r.sent))
	}
	return r.body
}

func post(b *testing.B, url string, body []byte) {
	b.Helper()
	response, err := http.Post(url, "application/json", bytes.NewReader(body)) //nolint:noctx // ends with the benchmark
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		b.Fatalf("status %d", response.StatusCode)
	}
}

// cpu is the user and system time of a function's processes so far.
func cpu(b *testing.B, server *localaws.Server, function string) time.Duration {
	b.Helper()
	const tick = time.Second / 100 // USER_HZ, fixed by the kernel's interface
	var ticks int64
	for _, pid := range server.Lambda().PIDs(devstack.FunctionName(function)) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			b.Fatal(err)
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, at := range []int{11, 12} { // utime and stime, fields 14 and 15 of proc(5)
			n, err := strconv.ParseInt(fields[at], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * tick
}

// peak is the most memory that a process of a function has held, in MiB.
func peak(b *testing.B, server *localaws.Server, function string) float64 {
	b.Helper()
	most := 0
	for _, pid := range server.Lambda().PIDs(devstack.FunctionName(function)) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			b.Fatal(err)
		}
		_, after, _ := strings.Cut(string(status), "VmHWM:")
		kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
		if err != nil {
			b.Fatal(err)
		}
		most = max(most, kilobytes)
	}
	return float64(most) / 1024
}

func report(b *testing.B, name string, spent time.Duration, events int) {
	b.Helper()
	b.ReportMetric(float64(spent.Microseconds())/float64(events), name+"-cpu-us/event")
	b.ReportMetric(float64(events)/spent.Seconds()/1000, name+"-kev/cpu-s")
}

// HTTP in to SQS: one request of 50 events of 1 KB at a time through the front door, the Runtime
// API, the handler and SendMessage; and then all of it out to an HTTP sink.
func BenchmarkFunctions_50EventsARequest(b *testing.B) {
	server := start(b, reader(b))
	r := newRequest(b, requestEvents)
	url := server.APIURL() + "/batch"
	post(b, url, r.next()) // the cold start is not what is measured
	ingest, flush := cpu(b, server, devstack.Ingest), cpu(b, server, devstack.Flush)
	b.SetBytes(int64(len(r.body)))
	for b.Loop() {
		post(b, url, r.next())
	}
	spent := cpu(b, server, devstack.Ingest) - ingest
	b.StopTimer()
	drain(b, server)
	report(b, "ingest", spent, b.N*requestEvents)
	b.ReportMetric(peak(b, server, devstack.Ingest), "ingest-peak-MiB")
	report(b, "flush", cpu(b, server, devstack.Flush)-flush, b.N*requestEvents)
	b.ReportMetric(peak(b, server, devstack.Flush), "flush-peak-MiB")
}

// drain waits until the flush has emptied the queue.
func drain(b *testing.B, server *localaws.Server) {
	b.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		depth, err := server.SQS().Depth(devstack.MainQueue)
		if err != nil {
			b.Fatal(err)
		}
		if depth.Visible+depth.InFlight+depth.Delayed == 0 {
			return
		}
		<-tick.C
	}
}
