package posthog

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// personalPrefix starts keys of people, which may do more than send events and must
// not be in an SDK.
const personalPrefix = "phx_"

// tokens collects the project tokens of a request, by where they stood.
type tokens struct {
	batch, event string
	different    bool
}

// of notes the tokens among values in one of the two places.
func (t *tokens) of(place *string, values ...jsontext.Value) {
	for _, v := range values {
		text, _ := receiver.Text(v)
		switch {
		case text == "" || text == *place:
		case *place == "":
			*place = text
		default:
			t.different = true
		}
	}
}

// token decides which token the request carries. Empty means none.
func (d *decoding) token() (string, error) {
	t := &d.tokens
	if t.batch == "" && t.event == "" {
		d.propertyTokens()
	}
	token := t.batch
	if token == "" {
		token = t.event
	}
	switch {
	case t.different || (t.event != "" && t.event != token):
		return "", receiver.Unauthorized("two different project tokens in one request")
	case strings.HasPrefix(token, personalPrefix):
		return "", receiver.Unauthorized("a personal API key (%s…) cannot send events: use the project token", personalPrefix)
	}
	return token, nil
}

// propertyTokens looks where posthog-js puts its token. Elsewhere a property of that
// name is the user's own, so this place is the last.
func (d *decoding) propertyTokens() {
	fields := receiver.Fields{"token"}
	values := make([]jsontext.Value, len(fields))
	for i := range d.late {
		if receiver.Pick(d.late[i].properties, fields, values) {
			d.tokens.of(&d.tokens.event, values[0])
		}
	}
}
