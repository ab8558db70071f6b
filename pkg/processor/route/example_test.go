package route_test

import (
	"fmt"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/processor/route"
)

func ExampleRouter_Sinks() {
	router := route.New([]route.Rule{
		{Match: route.Match{Receiver: "posthog", Type: "payment.*"}, To: []string{"warehouse", "alerts"}},
		{To: []string{"warehouse"}},
	})
	fmt.Println(router.Sinks(&event.Event{Receiver: "posthog", Type: "payment.failed"}))
	fmt.Println(router.Sinks(&event.Event{Receiver: "posthog", Type: "page"}))
	// Output:
	// [warehouse alerts]
	// [warehouse]
}
