package sqs_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

func TestService_Peek_ShowsEveryStateAndChangesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := sqs.New(sqs.Options{})
		defer service.Close()
		if _, err := service.CreateQueue(t.Context(), "q", nil); err != nil {
			t.Fatal(err)
		}
		for body, delay := range map[string]time.Duration{"visible": 0, "delayed": time.Minute} {
			if _, err := service.Send(t.Context(), "q", sqs.SendInput{Body: body, Delay: &delay}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := service.Receive(t.Context(), "q", sqs.ReceiveInput{MaxMessages: 1, Visibility: time.Minute}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			messages, err := service.Peek("q")
			if err != nil {
				t.Fatal(err)
			}
			var bodies []string
			for _, m := range messages {
				bodies = append(bodies, m.Body)
			}
			slices.Sort(bodies)
			if !slices.Equal(bodies, []string{"delayed", "visible"}) {
				t.Errorf("peeked %v, want both messages each time", bodies)
			}
		}
		if depth, err := service.Depth("q"); err != nil || depth.InFlight != 1 || depth.Delayed != 1 {
			t.Errorf("depth %+v (%v), want one in flight and one delayed", depth, err)
		}
	})
}
