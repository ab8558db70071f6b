package sinktest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// post sends a body and returns the status, or 0 when there was no reply.
func post(t *testing.T, to Destination, body string) int {
	t.Helper()
	transport := &http.Transport{DialContext: to.Dial, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func TestServer_Script(t *testing.T) {
	t.Parallel()
	server := NewServer(t, ServerOptions{
		Script:  Script(t, "503 x2, reset"),
		Respond: func(r *Request) Step { return Step{Status: 200 + len(r.IDs)} },
	})
	server.Then(Step{Status: 404}, Step{Status: 201, Fault: ResetInBody})
	var got []int
	for _, id := range []string{"a", "a", "b", "c", "d", "a"} {
		got = append(got, post(t, server.Destination(), `{"id":"`+id+`"}`))
	}
	if diff := cmp.Diff([]int{503, 503, 0, 404, 201, 201}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(IDs{"a": 3, "b": 1, "c": 1, "d": 1}, server.Seen()); diff != "" {
		t.Errorf("Seen (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(IDs{"a": 1, "d": 1}, server.Taken()); diff != "" {
		t.Errorf("Taken (-want +got):\n%s", diff)
	}
	server.Respond(nil)
	if status := post(t, server.Destination(), `{"id":"e"}`); status != 200 {
		t.Errorf("without a script and a responder: got %d, want 200", status)
	}
}

func TestServer_Await(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		server := NewServer(t, ServerOptions{Network: Memory, Script: []Step{{Until: release}, {Delay: time.Hour}}})
		done := make(chan int, 1)
		go func() { done <- post(t, server.Destination(), `{"id":"a"}`) }()
		if err := server.Await(t.Context(), func() bool { return len(server.Seen()) == 1 }); err != nil {
			t.Fatal(err)
		}
		if n := len(server.Taken()); n != 0 {
			t.Errorf("%d events taken before the reply is released", n)
		}
		close(release)
		if status := <-done; status != 200 {
			t.Errorf("status = %d, want 200", status)
		}
		start := time.Now()
		post(t, server.Destination(), `{"id":"b"}`)
		if took := time.Since(start); took != time.Hour {
			t.Errorf("the delayed reply took %v, want 1h", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := server.Await(ctx, func() bool { return false }); err == nil {
			t.Error("Await of what never comes: got no error")
		}
	})
}

func TestServer_Close_EndsHangingReplies(t *testing.T) {
	t.Parallel()
	for _, fault := range []Fault{Hang, SlowHeaders, SlowBody, Endless} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			server := NewServer(t, ServerOptions{Script: []Step{{Fault: fault}}})
			done := make(chan struct{})
			go func() {
				post(t, server.Destination(), `{"id":"a"}`)
				close(done)
			}()
			if err := server.Await(t.Context(), func() bool { return len(server.Requests()) == 1 }); err != nil {
				t.Fatal(err)
			}
			server.Close()
			server.Close()
			<-done
		})
	}
}

func TestServer_Problems(t *testing.T) {
	t.Parallel()
	server, stop := StartServer(ServerOptions{})
	defer stop()
	if status := post(t, server.Destination(), `{"no":"id"}`); status != http.StatusBadRequest {
		t.Errorf("status = %d, want 400", status)
	}
	if problems := server.Problems(); len(problems) != 1 || !strings.Contains(problems[0].Error(), "has no id") {
		t.Errorf("Problems = %v, want one about the id", problems)
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests recorded, want none", n)
	}
}
