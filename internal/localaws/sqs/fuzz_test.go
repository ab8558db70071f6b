package sqs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// fuzzOperations are the calls that the protocol fuzzer tries, by number.
var fuzzOperations = []string{
	"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch",
	"CreateQueue", "SetQueueAttributes", "GetQueueAttributes", "ListQueues", "TagQueue", "UntagQueue", "StartMessageMoveTask", "CancelMessageMoveTask",
	"ListMessageMoveTasks", "ListDeadLetterSourceQueues", "GetQueueUrl", "ListQueueTags",
}

// FuzzService_JSON posts arbitrary bodies. Every reply must be JSON with the status its shape says; a refusal changes
// no queue, and a message that was taken comes back byte for byte.
func FuzzService_JSON(f *testing.F) {
	for _, test := range badInputs {
		for i, op := range fuzzOperations {
			if op == test.op && len(test.body) < 4096 {
				f.Add(uint8(i), test.body) //nolint:gosec // 19 operations
			}
		}
	}
	f.Add(uint8(0), `{"QueueUrl":"q","MessageBody":"good","MessageAttributes":{"n":{"DataType":"Number","StringValue":"1"}}}`)
	f.Add(uint8(2), `{"QueueUrl":"q","MessageAttributeNames":["All"]}`)
	f.Fuzz(func(t *testing.T, operation uint8, body string) {
		if strings.Contains(body, "WaitTimeSeconds") {
			return // a long poll takes real time
		}
		s := sqs.New(sqs.Options{})
		defer s.Close()
		must[string](t)(s.CreateQueue(t.Context(), "q", nil))
		op := fuzzOperations[int(operation)%len(fuzzOperations)]
		request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body)))
		request.Header.Set("X-Amz-Target", "AmazonSQS."+op)
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, request)
		var reply map[string]any
		if err := json.Unmarshal(recorder.Body.Bytes(), &reply); err != nil {
			t.Fatalf("%s %q: reply %q: %v", op, body, recorder.Body, err)
		}
		if refused := reply["__type"] != nil; refused != (recorder.Code != http.StatusOK) || recorder.Code >= http.StatusInternalServerError {
			t.Fatalf("%s %q: status %d with %v", op, body, recorder.Code, reply)
		}
		depth := must[sqs.Depth](t)(s.Depth("q"))
		if recorder.Code != http.StatusOK && depth != (sqs.Depth{}) {
			t.Fatalf("%s %q was refused and left %+v", op, body, depth)
		}
		if op == "SendMessage" && depth.Visible == 1 {
			checkSent(t, s, body)
		}
	})
}

// checkSent receives the one message and compares it with the request.
func checkSent(t *testing.T, s *sqs.Service, body string) {
	t.Helper()
	var sent map[string]any
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatalf("took %q, which is no JSON: %v", body, err)
	}
	got := must[[]sqs.Message](t)(s.Receive(t.Context(), "q", sqs.ReceiveInput{Visibility: time.Minute}))
	if len(got) != 1 || got[0].Body != sent["MessageBody"] {
		t.Fatalf("sent %q, received %+v", sent["MessageBody"], got)
	}
}
