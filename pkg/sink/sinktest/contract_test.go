package sinktest_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 10 * time.Second

func TestBulkSink_Contract(t *testing.T) {
	t.Parallel()
	sinktest.RunHTTP(t, sinktest.HTTP{
		Timeout: timeout,
		New: func(t *testing.T, to sinktest.Destination) sink.Sink {
			s, err := NewBulkSink(httpsend.Options{
				URL: to.URL, Dial: to.Dial, Timeout: timeout, Headers: map[string]string{"Authorization": "Bearer s3cr3t/credential"},
			})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		PerItem: func(items []sinktest.Item) sinktest.Step {
			body, err := json.Marshal(map[string]any{"items": items}, json.MatchCaseInsensitiveNames(true))
			if err != nil {
				panic(err)
			}
			return sinktest.Step{Body: strings.NewReplacer(`"ID"`, `"id"`, `"Status"`, `"status"`).Replace(string(body))}
		},
	})
}

// carelessFaults are mistakes that sinks make, and the case of the suite that must fail.
var carelessFaults = map[string]string{
	"follows redirects":        "TestCareless/status_codes/302",
	"reads without bound":      "TestCareless/broken_replies/a_never-ending_200",
	"has no time-out":          "TestCareless/time/a_destination_that_hangs",
	"retries by itself":        "TestCareless/status_codes/503",
	"ignores the context":      "TestCareless/time/the_caller's_cancelling_ends_an_attempt",
	"shows secrets":            "TestCareless/secrets_stay_out_of_causes",
	"ignores the status":       "TestCareless/status_codes/500",
	"modifies the batch":       "TestCareless/the_batch_is_neither_modified_nor_kept",
	"leaks a goroutine":        "TestCareless/no_goroutine_is_left_after_close",
	"makes its own key":        "TestCareless/requests/the_idempotency_key_is_the_batch's,_on_every_attempt",
	"loses an event":           "TestCareless/a_full_batch_is_delivered",
	"rejects when cancelled":   "TestCareless/a_cancelled_context_is_no_verdict_on_the_events",
	"closes only once":         "TestCareless/close_can_be_called_twice",
	"ignores Retry-After":      "TestCareless/Retry-After/header_2",
	"trusts every certificate": "TestCareless/unreachable/a_certificate_that_nobody_vouches_for_is_a_matter_of_setup",
	"has results for nobody":   "TestCareless/one_event_is_delivered",
}

const carelessFault = "SINKTEST_CARELESS_FAULT"

// TestCareless is run by TestRunHTTP_FindsFaults in a process of its own. By itself it
// has no fault to show.
func TestCareless(t *testing.T) {
	fault := os.Getenv(carelessFault)
	if fault == "" {
		return
	}
	t.Parallel()
	sinktest.RunHTTP(t, sinktest.HTTP{Timeout: timeout, New: func(_ *testing.T, to sinktest.Destination) sink.Sink { return newCareless(to, fault) }})
}

// TestRunHTTP_FindsFaults: the suite must fail for every fault, in the case named for it.
func TestRunHTTP_FindsFaults(t *testing.T) {
	t.Parallel()
	for fault, name := range carelessFaults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			if out, err := runCareless(t, name, "is sound"); err != nil {
				t.Fatalf("the case fails without the fault, too: %v\n%s", err, out)
			}
			out, err := runCareless(t, name, fault)
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() == 0 {
				t.Fatalf("the suite passes a sink that %s: %v\n%s", fault, err, out)
			}
			if !strings.Contains(out, "--- FAIL: "+name) && !strings.Contains(out, "panic: ") {
				t.Errorf("the suite does not fail in %s:\n%s", name, out)
			}
		})
	}
}

// runCareless runs one case of the suite against a sink with a fault.
func runCareless(t *testing.T, name, fault string) (output string, err error) {
	t.Helper()
	pattern := "^" + strings.ReplaceAll(name, "/", "$/^") + "$"
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run", pattern, "-test.timeout", "60s") //nolint:gosec // this binary
	command.Env = append(os.Environ(), carelessFault+"="+fault)
	out, err := command.CombinedOutput()
	return string(out), err
}
