package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/samples"
)

// protocol is how events are sent and answered in the words of one receiver.
type protocol struct {
	path, contentType string
	// bearer says that the key travels in the Authorization header.
	bearer bool
	sample func(n int, now time.Time) (samples.Event, error)
	encode func(key string, events [][]byte) []byte
	read   func(answer []byte, sent int) (receipt, error)
}

// protocolNamed returns the protocol for a value of --protocol.
func protocolNamed(name string) protocol {
	if name == "posthog" {
		return protocol{
			path: "/batch/", contentType: "application/json",
			sample: samples.PostHog, encode: encodePostHog, read: readPostHog,
		}
	}
	return protocol{
		path: "/v1/ingest", contentType: "application/x-ndjson", bearer: true,
		sample: samples.Generic, encode: encodeLines, read: readGeneric,
	}
}

func encodeLines(_ string, events [][]byte) []byte {
	return append(bytes.Join(events, []byte{'\n'}), '\n')
}

func encodePostHog(key string, events [][]byte) []byte {
	body, _ := jsontext.AppendQuote([]byte(`{"api_key":`), key) // the only error says that invalid UTF-8 was replaced
	body = append(body, `,"batch":[`...)
	body = append(body, bytes.Join(events, []byte{','})...)
	return append(body, "]}"...)
}

// readPostHog knows only success: PostHog's answer does not tell of single events.
func readPostHog(answer []byte, sent int) (receipt, error) {
	var body struct {
		Status jsontext.Value `json:"status"` // 1 or "Ok"
	}
	if err := json.Unmarshal(answer, &body); err != nil {
		return receipt{}, fmt.Errorf("read PostHog's answer: %w", err)
	}
	return receipt{accepted: sent}, nil
}

// readGeneric reads which events were taken; see the documentation of pkg/receiver/generic.
func readGeneric(answer []byte, _ int) (receipt, error) {
	var body struct {
		Accepted *int `json:"accepted"`
		Refused  []struct {
			Position int    `json:"position"`
			Cause    string `json:"cause"`
		} `json:"refused"`
	}
	if err := json.Unmarshal(answer, &body); err != nil {
		return receipt{}, fmt.Errorf("read the answer: %w", err)
	}
	if body.Accepted == nil {
		return receipt{}, errors.New("the answer does not say what was accepted")
	}
	got := receipt{accepted: *body.Accepted, refused: len(body.Refused)}
	for _, refusal := range body.Refused {
		got.causes = append(got.causes, fmt.Sprintf("event %d of its request: %s", refusal.Position, refusal.Cause))
	}
	return got, nil
}
