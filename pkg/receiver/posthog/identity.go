package posthog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/uuid/v5"

	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// maxDistinctIDChars is where PostHog's server cuts a distinct_id.
const maxDistinctIDChars = 200

// eventID reads the uuid. Missing, null and empty mean that the event has none.
func eventID(v jsontext.Value) (id, cause string) {
	if absent(v) {
		return "", ""
	}
	text, ok := receiver.Text(v)
	if ok && text == "" {
		return "", ""
	}
	parsed, err := uuid.FromString(text)
	if !ok || err != nil {
		return "", "uuid is malformed"
	}
	if canonical(text) {
		return text, ""
	}
	return parsed.String(), ""
}

// canonical says whether a valid uuid is written the usual way: dashed, in lower case.
func canonical(id string) bool {
	const length = 36
	return len(id) == length && !strings.ContainsAny(id, "ABCDEF")
}

// newID makes the identity of an event without a uuid, the same on every attempt if the
// event says when it happened.
func newID(e *event.Event, token, timestamp string) (string, error) {
	if timestamp == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return "", fmt.Errorf("new event id: %w", err)
		}
		return id.String(), nil
	}
	var text []byte
	for _, part := range [...]string{token, e.Type, e.Subject, timestamp} {
		// Lengths keep ("ab","c") and ("a","bc") apart.
		text = append(binary.AppendUvarint(text, uint64(len(part))), part...)
	}
	sum := sha256.Sum256(text)
	id := uuid.UUID(sum[:uuid.Size])
	id.SetVersion(8) //nolint:mnd // RFC 9562: version 8 is for ids of one's own making
	id.SetVariant(uuid.VariantRFC9562)
	return id.String(), nil
}

// distinctID finds whom the event is about, in the order of places PostHog looks.
func distinctID(v []jsontext.Value) (id, cause string) {
	places := []jsontext.Value{v[fieldDistinctID], v[fieldDollarDistinctID]}
	if absent(places[0]) && absent(places[1]) {
		inside := make([]jsontext.Value, 2) //nolint:mnd // the two names just below
		receiver.Pick(v[fieldProperties], receiver.Fields{"distinct_id", "$distinct_id"}, inside)
		places = inside
	}
	for _, place := range places {
		if absent(place) {
			continue
		}
		if id = stringify(place); id == "" {
			return "", "distinct_id is empty"
		}
		return cut(id, maxDistinctIDChars), ""
	}
	return "", "distinct_id is missing"
}

// stringify turns any value into text, as PostHog's server does.
func stringify(v jsontext.Value) string {
	if text, ok := receiver.Text(v); ok {
		return text
	}
	return string(v)
}

// cut shortens text to at most limit characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for i := range text {
		if limit == 0 {
			return text[:i]
		}
		limit--
	}
	return text
}

// skewTolerance is how far sent_at and arrival may differ without blaming the client's
// clock: networks and retries take that long.
const skewTolerance = time.Minute

// skewOf is how far a client's clock is behind, when that is more than the tolerance. A
// zero sent means that the client did not say.
func skewOf(sent, now time.Time) time.Duration {
	if skew := now.Sub(sent); !sent.IsZero() && skew.Abs() > skewTolerance {
		return skew
	}
	return 0
}

// before is a number of milliseconds before now, the zero time if it is no such number.
func before(now time.Time, offset jsontext.Value) time.Time {
	millis, err := strconv.ParseInt(string(offset), 10, 64)
	if err != nil || millis < 0 || millis > maxOffset.Milliseconds() {
		return time.Time{}
	}
	return now.Add(-time.Duration(millis) * time.Millisecond).UTC()
}

// maxOffset bounds an offset to what can be meant.
const maxOffset = 10 * 365 * 24 * time.Hour

// ignoresSentAt reads the property by which a client vouches for its clock.
func ignoresSentAt(properties jsontext.Value) bool {
	values := make([]jsontext.Value, 1)
	return receiver.Pick(properties, receiver.Fields{"$ignore_sent_at"}, values) && values[0].Kind() == 't'
}
