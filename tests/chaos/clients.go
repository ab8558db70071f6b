package chaos

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/tests/chaos/oracle"
)

const (
	// clients post side by side.
	clients = 4
	// maxPostEvents bounds the events of a post, which is one pack then.
	maxPostEvents = 40
	// meanPause is between two posts of a client.
	meanPause = 120 * time.Millisecond
	// postTimeout is what an SDK waits for an answer.
	postTimeout = 12 * time.Second
	// repostPause is between two tries of the same post.
	repostPause = 100 * time.Millisecond
)

// tenants share ids: each client of a pair posts the ids of the other.
var tenants = [2]struct{ name, key string }{{"acme", "phc_demo"}, {"umbra", "phc_umbra"}} //nolint:gochecknoglobals // a table

// load is what the clients sent and were told.
type load struct {
	mu     sync.Mutex
	events []*oracle.Event
	posts  int
}

// client posts as an SDK does: what was not accepted is posted again, until it is.
type client struct {
	load   *load
	api    func() string // its URL, which changes with a restart
	number int
	random *rand.Rand
	http   *http.Client
}

// run posts until load ends, and then goes on with the last post until it is accepted or ctx ends.
func (c *client) run(ctx context.Context, loading <-chan struct{}) {
	for n := 0; ctx.Err() == nil; n++ {
		select {
		case <-loading:
			return
		case <-time.After(time.Duration(c.random.ExpFloat64() * float64(meanPause))):
		}
		events := c.make(n)
		c.deliver(ctx, events)
	}
}

// make invents the events of a post.
func (c *client) make(n int) []*oracle.Event {
	tenant := tenants[c.number%len(tenants)]
	events := make([]*oracle.Event, 1+c.random.IntN(maxPostEvents))
	for i := range events {
		kind, sinks := "order", []string{sinkOne, sinkTwo}
		if c.random.IntN(4) == 0 {
			kind, sinks = "ping", []string{sinkTwo}
		}
		id := fmt.Sprintf("c%d-%d-%d", c.number/len(tenants), n, i)
		events[i] = &oracle.Event{
			Key:   oracle.Key{Tenant: tenant.name, ID: id},
			Data:  fmt.Sprintf(`{"id":%q,"source":"shop","type":%q,"data":{"n":%d,"by":%q}}`, id, kind, c.random.Uint32(), tenant.name),
			Sinks: sinks,
		}
	}
	c.load.mu.Lock()
	defer c.load.mu.Unlock()
	c.load.events = append(c.load.events, events...)
	return events
}

func (c *client) deliver(ctx context.Context, events []*oracle.Event) {
	lines := make([]string, len(events))
	for i := range events {
		lines[i] = events[i].Data
	}
	body := strings.Join(lines, "\n")
	for ctx.Err() == nil {
		c.note(func() {
			c.load.posts++
			for i := range events {
				events[i].Posts++
			}
		})
		if c.post(ctx, body) {
			c.note(func() {
				for i := range events {
					events[i].Accepted = true
				}
			})
			return
		}
		select {
		case <-time.After(repostPause):
		case <-ctx.Done():
		}
	}
}

func (c *client) note(change func()) {
	c.load.mu.Lock()
	defer c.load.mu.Unlock()
	change()
}

// post says whether the API accepted.
func (c *client) post(ctx context.Context, body string) bool {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api()+"/v1/ingest", strings.NewReader(body))
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer "+tenants[c.number%len(tenants)].key)
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := c.http.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode/100 == 2 //nolint:mnd // 2xx
}

// evidence are the events as the oracle wants them.
func (l *load) evidence(bound Bound) []oracle.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := make([]oracle.Event, len(l.events))
	for i := range l.events {
		events[i] = *l.events[i]
		if bound[riskRepost] == 0 {
			events[i].Posts = 1
		}
	}
	return events
}
