package sqs_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// The model's queue settings.
const (
	modelVisibility = 30 * time.Second
	modelRetention  = 10 * time.Minute
	modelReceives   = 3
)

// modelMessage is what the model knows of one message.
type modelMessage struct {
	sent     time.Time
	hidden   time.Time // delayed or in flight until then
	receives int
	handle   string
	letter   bool
}

// model is the simplest possible queue with a dead-letter queue: a map and linear scans.
type model struct {
	messages map[string]*modelMessage
	// order holds the ids as they were sent.
	order []string
	// stale holds handles that later receives or deletes made powerless.
	stale []string
}

// settle applies what time alone does.
func (m *model) settle(now time.Time) {
	for id, message := range m.messages {
		switch {
		case !now.Before(message.sent.Add(modelRetention)):
			delete(m.messages, id)
		case !message.letter && message.receives >= modelReceives && !message.hidden.After(now):
			message.letter = true
		}
	}
}

func (m *model) depths(now time.Time) (queue, letters sqs.Depth) {
	for _, message := range m.messages {
		switch {
		case message.letter:
			letters.Visible++
		case message.hidden.After(now) && message.receives == 0:
			queue.Delayed++
		case message.hidden.After(now):
			queue.InFlight++
		default:
			queue.Visible++
		}
	}
	return queue, letters
}

// TestService_Model_RandomHistories runs random histories, restarts included, on the service and on the model, on a virtual clock.
func TestService_Model_RandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 60).Draw(rt, "steps")
		var problem string
		synctest.Test(t, func(t *testing.T) { problem = runHistory(t, steps) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

type step struct {
	Verb  string
	Pick  int
	Time  time.Duration
	Group string
}

func drawStep(t *rapid.T) step {
	return step{
		Verb:  rapid.SampledFrom([]string{"send", "send", "delayed", "receive", "receive", "delete", "hide", "stale", "sleep", "restart"}).Draw(t, "verb"),
		Pick:  rapid.IntRange(0, 9).Draw(t, "pick"),
		Time:  time.Duration(rapid.IntRange(0, 120).Draw(t, "seconds")) * time.Second,
		Group: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "group"),
	}
}

// history is one run of service and model side by side.
type history struct {
	t    *testing.T
	disk vfs.FS
	s    *sqs.Service
	stop func()
	m    model
}

// restart ends the service and opens what it left.
func (h *history) restart() {
	if h.stop != nil {
		h.stop()
	}
	h.s, h.stop = openUntil(h.t, "data", h.disk)
}

func runHistory(t *testing.T, steps []step) (problem string) {
	h := &history{t: t, disk: vfs.NewMem(), m: model{messages: map[string]*modelMessage{}}}
	h.restart()
	defer func() { h.stop() }()
	s := h.s
	retention := fmt.Sprint(int(modelRetention.Seconds()))
	must[string](t)(s.CreateQueue(t.Context(), "dlq", map[string]string{"MessageRetentionPeriod": retention}))
	must[string](t)(s.CreateQueue(t.Context(), "q", map[string]string{
		"MessageRetentionPeriod": retention, "VisibilityTimeout": fmt.Sprint(int(modelVisibility.Seconds())),
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dlq","maxReceiveCount":%d}`, modelReceives),
	}))
	for i, step := range steps {
		h.m.settle(time.Now())
		if problem := h.apply(step); problem != "" {
			return fmt.Sprintf("step %d %+v: %s", i, step, problem)
		}
		synctest.Wait()
		h.m.settle(time.Now())
		queue, letters := h.m.depths(time.Now())
		for name, want := range map[string]sqs.Depth{"q": queue, "dlq": letters} {
			got := must[sqs.Depth](t)(h.s.Depth(name))
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Sprintf("step %d %+v: depth of %s (-model +service):\n%s", i, step, name, diff)
			}
		}
	}
	return ""
}

func (h *history) apply(step step) (problem string) {
	switch step.Verb {
	case "send", "delayed":
		delay := time.Duration(0)
		if step.Verb == "delayed" {
			delay = step.Time
		}
		id := must[string](h.t)(h.s.Send(h.t.Context(), "q", sqs.SendInput{Body: "m", GroupID: step.Group, Delay: &delay}))
		h.m.order = append(h.m.order, id)
		h.m.messages[id] = &modelMessage{sent: time.Now(), hidden: time.Now().Add(delay)}
	case "receive":
		return h.receive(1 + step.Pick)
	case "restart":
		time.Sleep(time.Millisecond) // numbers go with the clock
		h.restart()
	case "sleep":
		time.Sleep(step.Time)
	case "stale":
		return h.check(h.s.Delete(h.t.Context(), "q", h.m.stale))
	case "delete", "hide":
		return h.touch(step)
	}
	return ""
}

func (h *history) check(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

// receive checks that as many messages come as the model has visible, each of them visible, once, and with the right count.
func (h *history) receive(most int) string {
	queue, _ := h.m.depths(time.Now())
	got := must[[]sqs.Message](h.t)(h.s.Receive(h.t.Context(), "q", sqs.ReceiveInput{MaxMessages: most}))
	if want := min(most, queue.Visible); len(got) != want {
		return fmt.Sprintf("received %d, want %d", len(got), want)
	}
	for _, received := range got {
		message := h.m.messages[received.ID]
		if message == nil || message.letter || message.hidden.After(time.Now()) {
			return fmt.Sprintf("received %s, which is not visible: %+v", received.ID, message)
		}
		if message.handle != "" {
			h.m.stale = append(h.m.stale, message.handle)
		}
		message.receives++
		message.handle = received.ReceiptHandle
		message.hidden = time.Now().Add(modelVisibility)
		if count := fmt.Sprint(message.receives); received.Attributes["ApproximateReceiveCount"] != count {
			return fmt.Sprintf("receive count %s, want %s", received.Attributes["ApproximateReceiveCount"], count)
		}
	}
	return ""
}

// touch deletes or hides some received message, whether or not it is visible again.
func (h *history) touch(step step) string {
	for i := range h.m.order {
		id := h.m.order[(i+step.Pick)%len(h.m.order)]
		message := h.m.messages[id]
		if message == nil || message.handle == "" || message.letter {
			continue
		}
		if step.Verb == "delete" {
			delete(h.m.messages, id)
			h.m.stale = append(h.m.stale, message.handle)
			return h.check(h.s.Delete(h.t.Context(), "q", []string{message.handle}))
		}
		err := h.s.ChangeVisibility(h.t.Context(), "q", message.handle, step.Time)
		if !message.hidden.After(time.Now()) {
			if err == nil {
				return "changed the visibility of a message that is not in flight"
			}
			return ""
		}
		message.hidden = time.Now().Add(step.Time)
		return h.check(err)
	}
	return ""
}
