package posthog

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// decoding gathers the events of one request. What stands beside the batch may come
// after it, so events are finished when all is read.
type decoding struct {
	req        *receiver.Request
	tokens     tokens
	sentAt     time.Time
	group      string
	candidates []candidate
	refused    []receiver.Refusal
}

// candidate is an event that lacks what only the whole request can tell.
type candidate struct {
	event      event.Event
	position   int
	stamp      string // timestamp as it was written
	offset     jsontext.Value
	properties jsontext.Value
}

// envelope takes what stands beside a batch, or the token of a single event.
func (d *decoding) envelope(values []jsontext.Value, batch bool) {
	d.sentAt = sentAt(values[fieldSentAt], d.req)
	if values[fieldHistorical].Kind() == 't' {
		d.group = `{"historical_migration":true}`
	}
	if batch {
		d.tokens.of(&d.tokens.batch, values[fieldAPIKey], values[fieldToken])
	}
}

// take makes a candidate or a refusal of an item.
func (d *decoding) take(item *receiver.Item) {
	v := item.Values
	d.tokens.of(&d.tokens.event, v[fieldToken], v[fieldAPIKey], v[fieldDollarToken])
	if item.Err != nil {
		d.refuse(item, item.Err.Message)
		return
	}
	c, cause := d.candidate(item)
	if cause != "" {
		d.refuse(item, cause)
		return
	}
	d.candidates = append(d.candidates, c)
}

func (d *decoding) refuse(item *receiver.Item, cause string) {
	id, _ := receiver.Text(item.Values[fieldUUID])
	d.refused = append(d.refused, item.Refusal(id, cause))
}

// candidate reads one event. A cause says why it is none.
func (d *decoding) candidate(item *receiver.Item) (c candidate, cause string) {
	v := item.Values
	c = candidate{position: item.Position, offset: v[fieldOffset], properties: v[fieldProperties]}
	c.event = event.Event{Kind: "event", Data: item.Data}
	if c.event.ID, cause = eventID(v[fieldUUID]); cause != "" {
		return c, cause
	}
	if c.event.Type, cause = d.eventType(v[fieldEvent]); cause != "" {
		return c, cause
	}
	if c.event.Subject, cause = distinctID(v); cause != "" {
		return c, cause
	}
	c.stamp, _ = receiver.Text(v[fieldTimestamp])
	return c, ""
}

// eventType reads the event's name, which only /engage can do without.
func (d *decoding) eventType(v jsontext.Value) (name, cause string) {
	if absent(v) && d.req.Path == engagePath {
		return "$identify", ""
	}
	if absent(v) {
		return "", "event has no name: member event is missing"
	}
	name, ok := receiver.Text(v)
	if !ok || name == "" {
		return "", "event has no name: member event must be a string that is not empty"
	}
	return name, ""
}

// finish checks the token and completes the events.
func (d *decoding) finish() (receiver.Decoded, error) {
	out := receiver.Decoded{Refused: d.refused, Unreported: true}
	if len(d.candidates) == 0 && len(d.refused) == 0 {
		return out, receiver.Malformed("no events in the request")
	}
	token, err := d.token()
	if err != nil {
		return out, err
	}
	if token == "" && len(d.candidates) == 0 {
		return out, receiver.Malformed("%s", d.refused[0].Cause)
	}
	out.Key = token
	out.Events = make([]event.Event, 0, len(d.candidates))
	out.Positions = make([]int, 0, len(d.candidates))
	for i := range d.candidates {
		c := &d.candidates[i]
		if err := c.finish(d, token); err != nil {
			return out, err
		}
		out.Events = append(out.Events, c.event)
		out.Positions = append(out.Positions, c.position)
	}
	return out, nil
}

// finish fills in what the request as a whole says.
func (c *candidate) finish(d *decoding, token string) error {
	c.event.Group = d.group
	c.event.Time = happened(c, d.sentAt, d.req.Now)
	if c.event.ID != "" {
		return nil
	}
	id, err := c.newID(token)
	c.event.ID = id
	return err
}

// sentAt is when the client says it sent the request: in the body, or in the query as
// milliseconds since 1970.
func sentAt(v jsontext.Value, req *receiver.Request) time.Time {
	if text, ok := receiver.Text(v); ok {
		return receiver.Time(text)
	}
	return sentAtQuery(req)
}

func sentAtQuery(req *receiver.Request) time.Time {
	millis, err := strconv.ParseInt(strings.TrimSpace(req.Query.Get("_")), 10, 64)
	if err != nil || millis <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// absent says whether a member is missing or null, which SDKs use alike.
func absent(v jsontext.Value) bool { return len(v) == 0 || v.Kind() == 'n' }
