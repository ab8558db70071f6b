package bench

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/internal/devstack"
)

// pace is 200 requests of 50 events a second, 10,000 events: what the two cores of a small
// machine can send, take and deliver to three sinks at once.
const pace = 5 * time.Millisecond

// How fast a healthy sink gets its events alone, and beside one that hangs for ever and one
// that throttles with Retry-After: 20. Compare the two; each must get every event once.
// At a steady rate the sick sinks must cost the healthy one nothing; flat out, all of them
// share the machine.
func BenchmarkIsolation_HealthySink(b *testing.B) {
	for load, every := range map[string]time.Duration{"10kev-a-second": pace, "flat-out": time.Nanosecond} {
		for name, sick := range map[string][]demosink.Behaviour{
			"alone":      nil,
			"beside-two": {{Hang: true}, {Status: 429, RetryAfter: 20 * time.Second}},
		} {
			b.Run(load+"/"+name, func(b *testing.B) { isolated(b, every, sick) })
		}
	}
}

func isolated(b *testing.B, every time.Duration, sick []demosink.Behaviour) {
	healthy := startSink(b, demosink.Behaviour{})
	urls := []string{healthy.URL()}
	for _, behaviour := range sick {
		urls = append(urls, startSink(b, behaviour).URL())
	}
	server := start(b, urls...)
	r := newRequest(b, requestEvents)
	url := server.APIURL() + "/batch"
	want, began := 0, time.Now()
	next := time.NewTicker(every)
	defer next.Stop()
	for b.Loop() {
		<-next.C
		post(b, url, r.next())
		want += requestEvents
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for healthy.Stats().Unique < want {
		<-tick.C
	}
	b.ReportMetric(float64(want)/time.Since(began).Seconds()/1000, "kev/s-to-the-healthy-sink")
	b.ReportMetric(peak(b, server, devstack.Flush), "flush-peak-MiB")
	if stats := healthy.Stats(); stats.Duplicates > 0 {
		b.Errorf("the healthy sink got %d events twice", stats.Duplicates)
	}
}

func startSink(b *testing.B, behaviour demosink.Behaviour) *demosink.Server {
	b.Helper()
	server, err := demosink.Start("127.0.0.1:0", demosink.New(demosink.Options{Behaviour: behaviour}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
	return server
}
