package generic

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/gofrs/uuid/v5"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// Name is what keys and routes call this receiver.
const Name = "generic"

// Receiver implements receiver.Receiver. The zero value is ready.
type Receiver struct{}

var _ receiver.Receiver = (*Receiver)(nil)

// New returns the receiver.
func New() *Receiver { return &Receiver{} }

// Name returns "generic".
func (*Receiver) Name() string { return Name }

// Routes returns POST /v1/ingest.
func (*Receiver) Routes() []receiver.Route {
	return []receiver.Route{{Methods: []string{http.MethodPost}, Path: "/v1/ingest"}}
}

// The members read of an event, in the order of the fields' names.
const (
	fieldID = iota
	fieldSource
	fieldType
	fieldTime
	fieldSubject
	fieldName
	fieldSeverity
	fieldTrace
	fieldTraceparent
	fieldTraceID
)

func fields() receiver.Fields {
	return receiver.Fields{"id", "source", "type", "time", "subject", "name", "severity", "trace", "traceparent", "trace_id"}
}

// Decode reads the events of a request.
func (*Receiver) Decode(req *receiver.Request) (receiver.Decoded, error) {
	d := decoding{Decoded: receiver.Decoded{Key: key(req)}}
	body := bytes.TrimSpace(req.Body)
	if len(body) == 0 {
		return d.Decoded, receiver.Malformed("empty body: send a JSON object, an array of objects, or NDJSON")
	}
	// Offsets in messages count from the start of the body, so it is not cut in front.
	err := d.read(req, body[0])
	if err == nil {
		err = d.failure
	}
	return d.Decoded, err
}

func (d *decoding) read(req *receiver.Request, first byte) error {
	if isLines(req, first) {
		return receiver.Lines(req.Body, fields(), req.Limits, d.take)
	}
	s := receiver.NewScanner(req.Body, req.Limits)
	if first == '[' {
		if err := s.Array(fields(), d.take); err != nil {
			return err
		}
		return s.End()
	}
	return s.One(fields(), d.take)
}

// isLines tells NDJSON from a single object, which may also span lines: only NDJSON has
// a later line that starts with "{" in the first column.
func isLines(req *receiver.Request, first byte) bool {
	contentType := strings.ToLower(req.Header.Get("Content-Type"))
	if strings.Contains(contentType, "ndjson") || strings.Contains(contentType, "jsonl") {
		return true
	}
	return first != '[' && bytes.Contains(bytes.TrimSpace(req.Body), []byte("\n{"))
}

// key finds the write key of a request.
func key(req *receiver.Request) string {
	if scheme, token, found := strings.Cut(req.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if k := req.Header.Get("X-Api-Key"); k != "" {
		return k
	}
	return req.Query.Get("key")
}

// decoding gathers what a request holds.
type decoding struct {
	receiver.Decoded
	failure error // of our own: no item is to blame
}

func (d *decoding) take(item *receiver.Item) {
	if item.Err != nil {
		id, _ := receiver.Text(item.Values[fieldID])
		d.Refused = append(d.Refused, item.Refusal(id, item.Err.Message))
		return
	}
	e, err := newEvent(item)
	if err != nil {
		d.failure = err
	}
	if d.Events == nil {
		n := item.Expected()
		d.Events, d.Positions = make([]event.Event, 0, n), make([]int, 0, n)
	}
	d.Events = append(d.Events, e)
	d.Positions = append(d.Positions, item.Position)
}

func newEvent(item *receiver.Item) (event.Event, error) {
	text := func(field int) string {
		t, _ := receiver.Text(item.Values[field])
		return t
	}
	e := event.Event{
		ID: text(fieldID), Source: text(fieldSource), Type: text(fieldType), Subject: text(fieldSubject),
		Name: text(fieldName), Severity: strings.ToLower(text(fieldSeverity)), Kind: "event", Data: item.Data,
	}
	if e.Type == "" {
		e.Type = "event"
	}
	if at := text(fieldTime); at != "" {
		e.Time = receiver.Time(at)
	}
	for _, field := range [...]int{fieldTrace, fieldTraceparent, fieldTraceID} {
		if e.TraceID == "" {
			e.TraceID = receiver.TraceID(text(field))
		}
	}
	if e.ID != "" {
		return e, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return e, fmt.Errorf("new event id: %w", err)
	}
	e.ID = id.String()
	return e, nil
}
