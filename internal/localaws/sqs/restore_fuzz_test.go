package sqs_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// FuzzRestore reads stored messages: what is taken is written again as it was.
func FuzzRestore(f *testing.F) {
	state := bytes.Repeat([]byte{1}, 40)
	f.Add([]byte(`{"id":"6d1c5dd2-2b24-4c1a-9b6e-0f9f0e3a7f11","body":"grüße","sent":1,"attributes":{"b":{"DataType":"Binary","BinaryValue":"AP8="}},"group":"g","trace":"t","source":"arn"}`), state)
	f.Add([]byte(`{"id":"6d1c5dd2-2b24-4c1a-9b6e-0f9f0e3a7f11","id":"6d1c5dd2-2b24-4c1a-9b6e-0f9f0e3a7f11"}`), state)
	f.Add([]byte(`{}`), state[:39])
	f.Add([]byte("\xff"), []byte{})
	f.Fuzz(func(t *testing.T, message, state []byte) {
		again, stateAgain, err := sqs.Restored(message, state)
		if err != nil {
			return
		}
		if !bytes.Equal(state, stateAgain) {
			t.Errorf("state %x came back as %x", state, stateAgain)
		}
		thrice, _, err := sqs.Restored(again, stateAgain)
		if err != nil {
			t.Fatalf("%s is not read: %v", again, err)
		}
		var want, got map[string]any
		if err := json.Unmarshal(again, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(thrice, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}
