package lambda_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// TestHost_Invoke_EveryCallEndsUnderKills kills all processes again and again while eight callers invoke: each call must end,
// either with its own answer or as a crash, and the host must be as good as new afterwards.
func TestHost_Invoke_EveryCallEndsUnderKills(t *testing.T) {
	t.Parallel()
	host := newHost(t, lambda.Options{}, function("f", "plain"))
	var answered, crashed, killed atomic.Int64
	stop := make(chan struct{})
	var killer, callers sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				killed.Add(int64(host.Kill("f")))
			}
		}
	})
	for range 8 {
		callers.Go(func() {
			payload := marshal(t, command{Do: "echo", Text: "mine"})
			for range 25 {
				result, err := host.Invoke(context.Background(), "f", payload, lambda.InvokeOptions{})
				switch {
				case err != nil:
					t.Error(err)
				case result.Failed():
					crashed.Add(1)
				case string(result.Payload) == string(payload):
					answered.Add(1)
				default:
					t.Errorf("got somebody else's answer: %s", result.Payload)
				}
			}
		})
	}
	callers.Wait()
	close(stop)
	killer.Wait()
	if got := answered.Load() + crashed.Load(); got != 200 || killed.Load() == 0 {
		t.Errorf("%d of 200 calls ended, %d processes were killed", got, killed.Load())
	}
	if id := who(t, host, "f"); id.PID == 0 {
		t.Error("no answer after the kills")
	}
}

// An event that had been accepted was refused by its own host when Close came before its goroutine.
func TestHost_Close_RunsTheEventsThatWereAccepted(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	f := function("f", "plain")
	f.Log = &log
	f.MaxConcurrency = 1 // all but one are throttled at first
	host, err := lambda.NewHost([]lambda.Function{f}, lambda.Options{})
	if err != nil {
		t.Fatal(err)
	}
	payload := marshal(t, command{Do: "log", Text: "it ran"})
	for range 3 {
		if _, err := host.Invoke(context.Background(), "f", payload, lambda.InvokeOptions{Type: lambda.InvocationEvent}); err != nil {
			t.Fatal(err)
		}
	}
	if err := host.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if got := strings.Count(log.String(), "it ran\n"); got != 3 {
		t.Errorf("%d events ran, want 3; log:\n%s", got, log.String())
	}
}

// TestHost_Close_WhileInvoking closes under load: calls end or are refused, and no process is left (the pools are empty).
func TestHost_Close_WhileInvoking(t *testing.T) {
	t.Parallel()
	host, err := lambda.NewHost([]lambda.Function{function("f", "plain")}, lambda.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	warm := make(chan struct{}, 8)
	for range 8 {
		callers.Go(func() {
			for first := true; ; first = false {
				result, err := host.Invoke(context.Background(), "f", []byte(`{"do":"echo"}`), lambda.InvokeOptions{})
				var refusal *lambda.Error
				if errors.As(err, &refusal) && refusal.Type == "ServiceException" {
					return
				}
				if err != nil || result.Failed() {
					t.Errorf("invocation before the end: %v %s", err, result.Payload)
					return
				}
				if first {
					warm <- struct{}{}
				}
			}
		})
	}
	for range 8 {
		<-warm
	}
	if err := host.Close(context.Background()); err != nil {
		t.Error(err)
	}
	callers.Wait()
	if pids := host.PIDs("f"); len(pids) > 0 {
		t.Errorf("processes %v are left", pids)
	}
}
