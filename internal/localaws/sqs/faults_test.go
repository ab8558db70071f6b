package sqs_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

var errCut = errors.New("connection cut")

// call posts one operation and returns the status and the reply.
func call(t *testing.T, s *sqs.Service, op, body string) (int, string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	request.Header.Set("X-Amz-Target", "AmazonSQS."+op)
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

func TestService_Faults_LostReply_CallWasCarriedOut(t *testing.T) {
	t.Parallel()
	losing := false
	s := sqs.New(sqs.Options{Faults: &sqs.Faults{Lose: func(string, []byte) error {
		if losing {
			return errCut
		}
		return nil
	}}})
	defer s.Close()
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	losing = true
	lost := func(op, body string, want sqs.Depth) {
		t.Helper()
		if status, reply := call(t, s, op, body); status != http.StatusInternalServerError {
			t.Errorf("%s: %d %s, want 500", op, status, reply)
		}
		depth := must[sqs.Depth](t)(s.Depth("q"))
		if diff := cmp.Diff(want, depth); diff != "" {
			t.Errorf("depth after %s (-want +got):\n%s", op, diff)
		}
	}
	lost("SendMessage", `{"QueueUrl":"q","MessageBody":"m"}`, sqs.Depth{Visible: 1})
	lost("ReceiveMessage", `{"QueueUrl":"q"}`, sqs.Depth{InFlight: 1})
	handle := must[[]sqs.Message](t)(s.Peek("q"))[0].ReceiptHandle
	lost("DeleteMessage", `{"QueueUrl":"q","ReceiptHandle":"`+handle+`"}`, sqs.Depth{})
}

func TestService_Faults_LostReply_DirectCalls(t *testing.T) {
	t.Parallel()
	var losing error
	s := sqs.New(sqs.Options{Faults: &sqs.Faults{Lose: func(string, []byte) error { return losing }}})
	defer s.Close()
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	send(t, s, "q", sqs.SendInput{Body: "m"})
	losing = errCut
	taken, err := s.Receive(t.Context(), "q", receiveAll)
	if !errors.Is(err, errCut) {
		t.Fatalf("receive: %v, want %v", err, errCut)
	}
	if err := s.Delete(t.Context(), "q", []string{taken[0].ReceiptHandle}); !errors.Is(err, errCut) {
		t.Errorf("delete: %v, want %v", err, errCut)
	}
	if left := must[[]sqs.Message](t)(s.Peek("q")); len(left) != 0 {
		t.Errorf("%d messages left, want none", len(left))
	}
}

func TestService_Faults_Entry_FailsAlone(t *testing.T) {
	t.Parallel()
	entries := 0
	s := sqs.New(sqs.Options{Faults: &sqs.Faults{Entry: func(string, []byte) error {
		if entries++; entries%2 == 0 {
			return sqs.Throttled()
		}
		return nil
	}}})
	defer s.Close()
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	type reply struct {
		Successful, Failed []struct{ Id string } //nolint:revive,staticcheck // AWS's spelling
	}
	half := func(op, body string) {
		t.Helper()
		_, text := call(t, s, op, body)
		var got reply
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%s: %s: %v", op, text, err)
		}
		if len(got.Successful) != 1 || len(got.Failed) != 1 || got.Successful[0].Id != "a" || got.Failed[0].Id != "b" {
			t.Errorf("%s: %s, want a to succeed and b to fail", op, text)
		}
	}
	half("SendMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"1"},{"Id":"b","MessageBody":"2"}]}`)
	send(t, s, "q", sqs.SendInput{Body: "2"})
	taken := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
	half("DeleteMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"a","ReceiptHandle":"`+taken[0].ReceiptHandle+
		`"},{"Id":"b","ReceiptHandle":"`+taken[1].ReceiptHandle+`"}]}`)
	if left := must[[]sqs.Message](t)(s.Peek("q")); len(left) != 1 || left[0].ID != taken[1].ID {
		t.Errorf("%d messages left, want only the one of the failed entry", len(left))
	}
}

// TestService_Faults_Entry_HoldsUpNobodyElse has a fault that takes its time, as a slow service would: it waits for another call.
func TestService_Faults_Entry_HoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	asked := make(chan error, 1)
	var s *sqs.Service
	s = sqs.New(sqs.Options{Faults: &sqs.Faults{Entry: func(string, []byte) error {
		other := make(chan error, 1)
		go func() {
			_, err := s.Depth("q")
			other <- err
		}()
		select {
		case err := <-other:
			asked <- err
		case <-time.After(5 * time.Second):
			asked <- errors.New("it waits for the batch")
		}
		return nil
	}}})
	defer s.Close()
	must[string](t)(s.CreateQueue(t.Context(), "q", nil))
	call(t, s, "SendMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"1"}]}`)
	if err := <-asked; err != nil {
		t.Errorf("another call during a batch: %v", err)
	}
}

func TestService_Disturb_DeliversTwice(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, nil, func(t *testing.T, s *sqs.Service) {
		send(t, s, "q", sqs.SendInput{Body: "m"})
		first := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
		disturb(t, s, sqs.HeldInFlight, 0, 1)
		second := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
		if len(second) != 1 || second[0].ID != first[0].ID || second[0].Attributes["ApproximateReceiveCount"] != "2" {
			t.Fatalf("second receive: %v, want the same message once more", second)
		}
		if err := s.Delete(t.Context(), "q", []string{first[0].ReceiptHandle}); err != nil {
			t.Errorf("delete by the first receipt: %v", err)
		}
		wantDepth(t, s, "q", sqs.Depth{InFlight: 1})
		if err := s.Delete(t.Context(), "q", []string{second[0].ReceiptHandle}); err != nil {
			t.Errorf("delete by the second receipt: %v", err)
		}
		wantDepth(t, s, "q", sqs.Depth{})
	})
}

func TestService_Disturb_PostponesAndHastens(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, map[string]string{"VisibilityTimeout": "30"}, func(t *testing.T, s *sqs.Service) {
		send(t, s, "q", sqs.SendInput{Body: "m"})
		disturb(t, s, sqs.HeldVisible, 5*time.Second, 1)
		wantDepth(t, s, "q", sqs.Depth{Delayed: 1})
		disturb(t, s, sqs.HeldVisible, 0, 0)
		disturb(t, s, sqs.HeldDelayed, 0, 1)
		wantDepth(t, s, "q", sqs.Depth{Visible: 1})
		must[[]sqs.Message](t)(s.Receive(t.Context(), "q", receiveAll))
		disturb(t, s, sqs.HeldInFlight, 40*time.Second, 1) // later than its visibility timeout
		time.Sleep(31 * time.Second)
		synctest.Wait()
		wantDepth(t, s, "q", sqs.Depth{InFlight: 1})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		wantDepth(t, s, "q", sqs.Depth{Visible: 1})
	})
}

// disturb moves all messages of a state, and checks how many there were.
func disturb(t *testing.T, s *sqs.Service, state sqs.Held, delay time.Duration, want int) {
	t.Helper()
	n, err := s.Disturb("q", func(held sqs.Held) (time.Duration, bool) { return delay, held == state })
	if err != nil || n != want {
		t.Fatalf("disturb: %d, %v; want %d messages", n, err, want)
	}
}
