package flush_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

// poison answers a status to every request that holds an event, and 200 to all others.
func poison(id string, status int) func(*sinktest.Request) sinktest.Step {
	return func(r *sinktest.Request) sinktest.Step {
		if slices.Contains(r.IDs, id) {
			return sinktest.Step{Status: status}
		}
		return sinktest.Step{}
	}
}

// items answers 207 in Langfuse's words: a status for each event, 0 leaves it out. The
// change holds for the first reply only.
func items(change func(id string) (as string, status int)) func(*sinktest.Request) sinktest.Step {
	first := true
	return func(r *sinktest.Request) sinktest.Step {
		var successes, errors []string
		for _, id := range r.IDs {
			as, status := id, http.StatusCreated
			if first {
				as, status = change(id)
			}
			switch {
			case status == 0:
			case status < 300:
				successes = append(successes, fmt.Sprintf(`{"id":%q,"status":%d}`, as, status))
			default:
				errors = append(errors, fmt.Sprintf(`{"id":%q,"status":%d,"message":"bad item"}`, as, status))
			}
		}
		first = false
		return sinktest.Step{
			Status: http.StatusMultiStatus,
			Body:   fmt.Sprintf(`{"successes":[%s],"errors":[%s]}`, strings.Join(successes, ","), strings.Join(errors, ",")),
		}
	}
}

// on changes the result of one event.
func on(id, as string, status int) func(string) (string, int) {
	return func(other string) (string, int) {
		if other == id {
			return as, status
		}
		return other, http.StatusCreated
	}
}

func itemScenes() []scene {
	langfuse := httpsink.Options{Preset: httpsend.Langfuse}
	// 500 events are halved 8 times down to the one: 1 + 2*8 requests, and 2 more where
	// the poison is in the larger part of an odd number.
	const mostRequests = 19
	return []scene{
		{
			name: "one item in 500 is refused by its result", events: 500, options: langfuse, respond: items(on("e137", "e137", 400)),
			want: ending{Delivered: 499, Letters: 1, Requests: 1}, lettersAtLast: 1,
			reason: batch.Reason{Class: "permanent", Stop: "permanent", Status: 400, Cause: "bad item"},
		},
		{
			name: "one item in 500 makes every request too large", events: 500, respond: poison("e137", 413),
			want: ending{Delivered: 499, Letters: 1, Requests: mostRequests}, lettersAtLast: 1,
			reason: batch.Reason{Class: "too-large", Stop: "too-large", Status: 413, Cause: "the event alone has 72 bytes, a batch at most"},
		},
		{
			name: "one item in 500 makes every request a bad one", events: 500, respond: poison("e137", 400),
			want: ending{Delivered: 499, Letters: 1, Requests: mostRequests}, lettersAtLast: 1,
			reason: batch.Reason{Class: "permanent", Stop: "permanent", Status: 400},
		},
		{
			name: "a batch that is bad as a whole costs seven requests", events: 500, script: "400 x7",
			want: ending{Letters: 500, Requests: 7}, lettersAtLast: 500,
			reason: batch.Reason{Class: "permanent", Stop: "permanent", Status: 400},
		},
		{
			name: "an item is throttled by its result", options: langfuse, respond: items(on("e001", "e001", 429)),
			want: ending{Delivered: 4, Requests: 2, Took: 200 * time.Millisecond}, doubled: 1, // of the two 207 only one took it
		},
		{
			name: "a result for an unknown id stands for nobody", options: langfuse, respond: items(on("e001", "unknown", 400)),
			want: ending{Delivered: 4, Requests: 2, Took: 200 * time.Millisecond}, doubled: 1,
		},
		{
			name: "fewer results than items", options: langfuse, respond: items(on("e003", "", 0)),
			want: ending{Delivered: 4, Requests: 2, Took: 200 * time.Millisecond}, doubled: 1,
		},
		{
			name: "results that break off are a delivery where none was read", options: langfuse, script: "207 reset-body",
			want: ending{Delivered: 4, Requests: 1},
		},
		{
			name: "a result map that asks to wait", events: 2, options: httpsink.Options{Preset: httpsend.PostHogV1},
			respond: respondOnce(sinktest.Step{
				Header: http.Header{"Retry-After": {"20"}}, Body: `{"results":{"e000":{"result":"ok"},"e001":{"result":"retry","details":"not_persisted"}}}`,
			}),
			want:   ending{Delivered: 1, Waiting: 1, Requests: 1, Delay: 20 * time.Second, Attempts: 1},
			reason: batch.Reason{Class: "transient", Cause: "retry: not_persisted"}, doubled: 1,
		},
	}
}

// respondOnce answers with a step, and then 200.
func respondOnce(step sinktest.Step) func(*sinktest.Request) sinktest.Step {
	return func(*sinktest.Request) sinktest.Step {
		answer := step
		step = sinktest.Step{}
		return answer
	}
}

func queueScenes() []scene {
	throttled := batch.Reason{Class: "throttled", Status: 429}
	all := func(int) bool { return true }
	return []scene{
		{
			name:    "a message that is delivered twice",
			deliver: func(in []queue.Received) []queue.Received { return append(in, in...) },
			want:    ending{Delivered: 4, Requests: 1}, doubled: 4,
		},
		{
			name: "messages out of order", events: 12, packs: 4,
			deliver: func(in []queue.Received) []queue.Received { slices.Reverse(in); return in },
			want:    ending{Delivered: 12, Requests: 1},
		},
		{
			name: "one residue of three is refused: its message alone comes back", events: 6, packs: 3,
			script: "429, Retry-After: 20", refuse: func(i int) bool { return i == 1 },
			want:   ending{Waiting: 4, Back: 2, Requests: 1, Delay: 20 * time.Second, Attempts: 1},
			reason: throttled,
		},
		{
			name: "every residue is refused", events: 6, packs: 3, script: "429, Retry-After: 20", refuse: all,
			want: ending{Back: 6, Requests: 1},
		},
		{
			name: "a refused residue after a part was delivered doubles that part at most", options: httpsink.Options{Preset: httpsend.PostHogV1},
			respond: respondOnce(sinktest.Step{Header: http.Header{"Retry-After": {"20"}}, Body: `{"results":{"e001":{"result":"retry"}}}`}),
			refuse:  all, want: ending{Back: 4, Requests: 1}, doubled: 4,
		},
		{
			name: "a refused dead letter brings its message back", events: 4, packs: 2, script: "404", refuse: all,
			want: ending{Back: 4, Requests: 1},
		},
		{
			name: "queues that throttle every call", events: 6, packs: 3, script: "429, Retry-After: 20", throttled: true,
			want: ending{Back: 6, Requests: 1},
		},
	}
}
