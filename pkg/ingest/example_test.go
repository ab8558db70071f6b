package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/receiver"
	"github.com/millrace-dev/millrace/pkg/receiver/generic"
	"github.com/millrace-dev/millrace/pkg/receiver/posthog"
)

// printer is a queue that shows the header of each pack.
type printer struct{}

func (printer) Send(_ context.Context, messages ...queue.Outgoing) error {
	for _, m := range messages {
		h := m.Message.Header
		fmt.Printf("pack for %s from %s: %d events\n", h.Tenant, h.Receiver, h.Count)
	}
	return nil
}

func Example() {
	handler, err := ingest.New(ingest.Options{
		Keys:        []config.Key{{Name: "web", SHA256: hash("phc_demo"), Tenant: "acme"}}, // millrace keys hash phc_demo
		Receivers:   []receiver.Receiver{generic.New(), posthog.New()},
		Queue:       printer{}, // in production: queue.New(client, url)
		DeadLetters: printer{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	body := "{\"id\":\"1\",\"type\":\"signup\"}\n{\"id\":\"2\",\"type\":\"login\"}\n"
	r := httptest.NewRequest(http.MethodPost, "/v1/ingest", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer phc_demo")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// pack for acme from generic: 2 events
	// 200 {"accepted":2,"refused":[]}
}
