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
	receiver.Decoded
	req    *receiver.Request
	tokens tokens
	sentAt time.Time
	group  string
	late   []late // one for each of Events
}

// late is what an event needs when the whole request is known.
type late struct{ timestamp, offset, properties jsontext.Value }

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
	e := event.Event{Kind: "event", Data: item.Data}
	if cause := d.describe(&e, v); cause != "" {
		d.refuse(item, cause)
		return
	}
	if d.Events == nil {
		n := item.Expected()
		d.Events, d.Positions, d.late = make([]event.Event, 0, n), make([]int, 0, n), make([]late, 0, n)
	}
	d.Events = append(d.Events, e)
	d.Positions = append(d.Positions, item.Position)
	d.late = append(d.late, late{v[fieldTimestamp], v[fieldOffset], v[fieldProperties]})
}

func (d *decoding) refuse(item *receiver.Item, cause string) {
	id, _ := receiver.Text(item.Values[fieldUUID])
	d.Refused = append(d.Refused, item.Refusal(id, cause))
}

// describe reads what the event itself says. A cause says why it is none.
func (d *decoding) describe(e *event.Event, v []jsontext.Value) (cause string) {
	if e.ID, cause = eventID(v[fieldUUID]); cause != "" {
		return cause
	}
	if e.Type, cause = d.eventType(v[fieldEvent]); cause != "" {
		return cause
	}
	e.Subject, cause = distinctID(v)
	return cause
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
	d.Unreported = true
	if len(d.Events) == 0 && len(d.Refused) == 0 {
		return d.Decoded, receiver.Malformed("no events in the request")
	}
	token, err := d.token()
	if err != nil {
		return d.Decoded, err
	}
	if token == "" && len(d.Events) == 0 {
		return d.Decoded, receiver.Malformed("%s", d.Refused[0].Cause)
	}
	d.Key = token
	for i := range d.Events {
		if err := d.complete(&d.Events[i], &d.late[i], token); err != nil {
			return d.Decoded, err
		}
	}
	return d.Decoded, nil
}

// complete fills in what the request as a whole says.
func (d *decoding) complete(e *event.Event, l *late, token string) error {
	stamp, _ := receiver.Text(l.timestamp)
	e.Group = d.group
	if e.Time = receiver.Time(stamp); e.Time.IsZero() {
		e.Time = before(d.req.Now, l.offset)
	} else if skew := skewOf(d.sentAt, d.req.Now); skew != 0 && !ignoresSentAt(l.properties) {
		e.Time = e.Time.Add(skew)
	}
	if e.ID != "" {
		return nil
	}
	var err error
	e.ID, err = newID(e, token, stamp)
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
