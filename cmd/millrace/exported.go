package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// exported is a letter as a line of a file. Exactly one of Header and Body is set; they and Events make the message again,
// byte for byte.
type exported struct {
	// Header is the message's body as it is, when it is JSON that comes through unchanged: that of every pack.
	Header jsontext.Value `json:"header,omitempty"`
	// Body is any other body, as text.
	Body *string `json:"body,omitzero"`
	// Events is the attribute or the object with the events, compressed as it is; base64 in JSON. It is absent when the events
	// should be in the bucket and are not.
	Events []byte `json:"events,omitempty"`
	// MessageID and Sent are SQS's, for people: an import gets new ones.
	MessageID string    `json:"message_id"`
	Sent      time.Time `json:"sent"`
}

// maxLineBytes bounds a line of an exported file: a whole message with its events in base64 and its body escaped, or a large event.
const maxLineBytes = 2 * batch.MaxLargeEventBytes

// exportLine writes a letter as one line, with the line break.
func exportLine(l *letter) ([]byte, error) {
	e := exported{Header: jsontext.Value(l.message.Body), Events: l.message.Events, MessageID: l.message.ID, Sent: l.message.Sent}
	line, err := json.Marshal(e)
	if l.trouble != nil || err != nil || !survives(line, l.message.Body) {
		body := string(l.message.Body)
		e.Header, e.Body = nil, &body
		line, err = json.Marshal(e)
	}
	if err != nil {
		return nil, fmt.Errorf("export letter %s: %w", l.id(), err)
	}
	return append(line, '\n'), nil
}

// survives says whether a line gives back the body as it was.
func survives(line, body []byte) bool {
	var again exported
	return json.Unmarshal(line, &again) == nil && string(again.Header) == string(body)
}

// readExported reads a line. Packs must be whole: what was cut or changed by hand is an error.
func readExported(line []byte) (queue.Outgoing, error) {
	var e exported
	if err := json.Unmarshal(line, &e, json.RejectUnknownMembers(true)); err != nil {
		return queue.Outgoing{}, fmt.Errorf("no exported letter: %w", err)
	}
	switch {
	case (e.Header == nil) == (e.Body == nil):
		return queue.Outgoing{}, fmt.Errorf("no exported letter: it needs either a header or a body")
	case e.Body != nil:
		return queue.Outgoing{Message: batch.Message{Body: *e.Body, Events: e.Events}}, nil
	}
	pack, err := batch.Decode(e.Header, e.Events)
	if err != nil && !errors.Is(err, batch.ErrCheckedIn) {
		return queue.Outgoing{}, fmt.Errorf("damaged letter: %w", err)
	}
	return queue.Outgoing{Message: batch.Message{Header: pack.Header, Body: string(e.Header), Events: e.Events}}, nil
}

// eachExported calls visit for every letter in an exported file. Errors name the line.
func eachExported(r io.Reader, visit func(queue.Outgoing) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLineBytes)
	number := 1
	for ; lines.Scan(); number++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		letter, err := readExported(lines.Bytes())
		if err == nil {
			err = visit(letter)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number, err)
	}
	return nil
}
