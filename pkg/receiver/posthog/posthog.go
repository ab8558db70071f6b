package posthog

import (
	"bytes"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// Name is what keys and routes call this receiver.
const Name = "posthog"

// Receiver implements receiver.Receiver. The zero value is ready.
type Receiver struct{}

var _ receiver.Receiver = (*Receiver)(nil)

// New returns the receiver.
func New() *Receiver { return &Receiver{} }

// Name returns "posthog".
func (*Receiver) Name() string { return Name }

const engagePath = "/engage"

// Routes returns the paths for events and the stubs.
func (*Receiver) Routes() []receiver.Route {
	routes := stubs()
	for _, path := range []string{"/batch", "/capture", "/e", "/i/v0/e", "/track", engagePath} {
		routes = append(routes, receiver.Route{
			Methods: []string{http.MethodPost, http.MethodGet}, Path: path, Encodings: ownEncodings(),
		})
	}
	return routes
}

// The members read of an event. The last two stand beside a batch only.
const (
	fieldUUID = iota
	fieldEvent
	fieldDistinctID
	fieldDollarDistinctID
	fieldTimestamp
	fieldOffset
	fieldToken
	fieldAPIKey
	fieldDollarToken
	fieldProperties
	fieldSentAt
	fieldHistorical
)

// eventFields is how many of them an event has.
const eventFields = fieldProperties + 1

func envelope() *receiver.Envelope {
	fields := receiver.Fields{
		"uuid", "event", "distinct_id", "$distinct_id", "timestamp", "offset",
		"token", "api_key", "$token", "properties", "sent_at", "historical_migration",
	}
	return &receiver.Envelope{Fields: fields, List: "batch", ItemFields: fields[:eventFields]}
}

// Decode reads the events of a request.
func (*Receiver) Decode(req *receiver.Request) (receiver.Decoded, error) {
	body, err := payload(req)
	if err != nil {
		return receiver.Decoded{}, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return receiver.Decoded{}, receiver.Malformed("empty body")
	}
	d := decoding{req: req}
	if err := d.read(body); err != nil {
		return receiver.Decoded{}, err
	}
	return d.finish()
}

// read walks the body and gathers candidates.
func (d *decoding) read(body []byte) error {
	s := receiver.NewScanner(body, d.req.Limits)
	shape := envelope()
	if s.Kind() == '[' {
		if err := s.Array(shape.ItemFields, d.take); err != nil {
			return err
		}
		return s.End()
	}
	values := make([]jsontext.Value, len(shape.Fields))
	object, found, err := s.Envelope(shape, values, d.take)
	if err != nil {
		return err
	}
	if err := s.End(); err != nil {
		return err
	}
	d.envelope(values, found)
	if !found {
		d.take(&receiver.Item{Data: object, Values: values[:eventFields], Err: s.Oversize(object)})
	}
	return nil
}
