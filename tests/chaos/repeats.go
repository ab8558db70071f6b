package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/tests/chaos/oracle"
)

const (
	// repeatFlushes is how many flushes run at once, each in a process of its own.
	repeatFlushes = 2
	// repeatedShare of the events are sent again, one to four times.
	repeatedShare = 0.3
	mostRepeats   = 4
	// killSoon is the mean time to a kill, in which a flush delivers some batches.
	killSoon = 100 * time.Millisecond
)

// Repeats says what is sent in a run of repeated events.
type Repeats struct {
	Options
	// Events is how many different ones there are, 30 % of which are sent two to five times: with ScopeEvent in other company, with
	// ScopePack in the same request.
	Events int
	// Kills is how many flush processes are killed, at least.
	Kills int
}

// RepeatsReport says what came of it.
type RepeatsReport struct {
	Sent, Posts int // events and requests, with repeats
	Kills       int // flush processes that were killed
	CutOff      int // invocations that ended without an answer because of it
	Deduped     int // by the functions' own count, which a kill cuts short
	Bound       int // on duplicates at each sink
	Took        time.Duration
	Verdict     oracle.Verdict
}

// Repeat sends events again and again over two flushes that are killed, and judges what the sinks got. Duplicates may only come from flushes
// that were cut off between the sink's reply and their settlement: at most all that such a flush had in hand.
func Repeat(ctx context.Context, r Repeats) (*RepeatsReport, error) {
	begin := time.Now()
	world, err := startWorld(ctx, setup{dist: r.Dist, dir: r.Dir, flushes: repeatFlushes}, newWeather(r.Plan))
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	defer world.close()
	patient, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	posts, events := r.draw()
	report := &RepeatsReport{Posts: len(posts)}
	for _, p := range posts {
		report.Sent += len(p.events)
	}
	var group sync.WaitGroup
	sent, strikes := &load{events: events}, make(chan struct{}, (r.Kills+repeatFlushes-1)/repeatFlushes)
	group.Go(func() { report.Kills = world.killFlushes(patient, r, strikes) })
	world.weather.start()
	world.postAll(patient, sent, posts, strikes)
	group.Wait()
	world.drain(patient)
	if err := patient.Err(); err != nil {
		return nil, fmt.Errorf("chaos: not done in %s: %w", r.Patience, err)
	}
	evidence, err := world.evidence(sent, BoundOf(r.Plan))
	if err != nil {
		return nil, err
	}
	report.CutOff = int(world.cutOff.Load())
	report.Bound = report.CutOff * flushPacks * maxPostEvents
	evidence.Books = nil
	for name := range evidence.Bound {
		evidence.Bound[name] = report.Bound
	}
	for _, entry := range world.totals.Entries() {
		if entry.Counter == ledger.Deduped {
			report.Deduped += entry.Count
		}
	}
	report.Verdict, report.Took = oracle.Judge(evidence), time.Since(begin)
	return report, nil
}

// post is a request of one client.
type post struct {
	client int
	events []*oracle.Event
}

// draw decides from the seed what is sent: every event once, and some again after it, anywhere.
func (r Repeats) draw() (posts []post, events []*oracle.Event) {
	random := rand.New(rand.NewPCG(r.Plan.Seed, 2)) //nolint:gosec,mnd // repeatable, not secret
	var again []post
	for n := 0; len(events) < r.Events; n++ {
		number := n % len(tenants)
		c := &client{load: &load{}, number: number, random: random}
		fresh := c.make(n)
		fresh = fresh[:min(len(fresh), r.Events-len(events))]
		events = append(events, fresh...)
		posts = append(posts, post{number, fresh})
		if r.Plan.Dedup.Scope == scopePack {
			if random.Float64() < repeatedShare {
				for range 1 + random.IntN(mostRepeats) {
					again = append(again, post{number, fresh})
				}
			}
			continue
		}
		for _, e := range fresh {
			if random.Float64() < repeatedShare {
				for range 1 + random.IntN(mostRepeats) {
					again = append(again, post{number, []*oracle.Event{e}})
				}
			}
		}
	}
	random.Shuffle(len(again), func(i, k int) { again[i], again[k] = again[k], again[i] })
	posts = append(posts, gather(again)...)
	random.Shuffle(len(posts), func(i, k int) { posts[i], posts[k] = posts[k], posts[i] })
	return posts, events
}

// gather makes larger requests of single events, by tenant; none has an event twice.
func gather(singles []post) []post {
	var posts []post
	var open [len(tenants)]post
	for _, s := range singles {
		if len(s.events) > 1 {
			posts = append(posts, s)
			continue
		}
		o := &open[s.client]
		o.client, o.events = s.client, append(o.events, s.events...)
		if len(o.events) == maxPostEvents {
			posts = append(posts, *o)
			o.events = nil
		}
	}
	for _, o := range open {
		if len(o.events) > 0 {
			posts = append(posts, o)
		}
	}
	return posts
}

// postAll sends the requests, some at a time, each until it is accepted. Strikes are spread over them.
func (w *world) postAll(ctx context.Context, sent *load, posts []post, strikes chan<- struct{}) {
	defer close(strikes)
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	var group sync.WaitGroup
	next := make(chan post)
	for range clients {
		group.Go(func() {
			for p := range next {
				c := &client{load: sent, api: w.server.APIURL, number: p.client, http: &http.Client{Transport: transport}}
				c.deliver(ctx, p.events)
			}
		})
	}
	for i, p := range posts {
		next <- p
		if every := len(posts) / (cap(strikes) + 1); i%every == every-1 && i/every < cap(strikes) {
			strikes <- struct{}{}
		}
	}
	close(next)
	group.Wait()
}

// killFlushes kills both flushes at each strike, soon and at work, and returns how many processes it were.
func (w *world) killFlushes(ctx context.Context, r Repeats, strikes <-chan struct{}) int {
	random := rand.New(rand.NewPCG(r.Plan.Seed, 3)) //nolint:gosec,mnd // as above
	killed := 0
	for range strikes {
		until(ctx, time.Now().Add(time.Duration(random.ExpFloat64()*float64(killSoon))))
		for ctx.Err() == nil && w.server.Mappings()[0].InFlight() < repeatFlushes && w.depth(devstack.MainQueue).Visible > 0 {
			until(ctx, time.Now().Add(time.Millisecond))
		}
		killed += w.server.Lambda().Kill(devstack.FunctionName(devstack.Flush))
	}
	return killed
}

// Duplicates counts those at all sinks.
func (r *RepeatsReport) Duplicates() (n int) {
	for _, duplicates := range r.Verdict.Duplicates {
		n += duplicates
	}
	return n
}

// String is what there is to know.
func (r *RepeatsReport) String() string {
	return fmt.Sprintf("%d events in %d posts, %d flush processes killed, %d invocations cut off, lost %d, %d deduped, in %s\n"+
		"duplicates that crashes between a sink's reply and the settlement let through: %d, %v, of at most %d at each sink",
		r.Sent, r.Posts, r.Kills, r.CutOff, r.Verdict.Lost, r.Deduped, r.Took.Round(time.Second),
		r.Duplicates(), r.Verdict.Duplicates, r.Bound)
}
