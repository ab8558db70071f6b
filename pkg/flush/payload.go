package flush

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// payload is what the function was started with.
type payload struct {
	drain    bool
	messages []queue.Received
}

var errPayload = errors.New(`payload is neither an SQS event with "Records" nor {"drain":true}`)

// parsePayload reads the payload in one pass, because decoding the event structs of
// aws-lambda-go costs more than delivering the events. It takes from an SQS event only
// what a flush needs.
func parsePayload(data []byte) (payload, error) {
	var p payload
	found := false
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	err := object(d, func(name string) error {
		switch name {
		case "Records":
			found = true
			return p.records(d)
		case "drain":
			token, err := d.ReadToken()
			p.drain = err == nil && token.Kind() == 't'
			return err
		}
		return d.SkipValue()
	})
	if err == nil {
		_, err = d.ReadToken()
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		return payload{}, fmt.Errorf("read payload: %w", err)
	}
	if !found && !p.drain {
		return payload{}, errPayload
	}
	return p, nil
}

// object reads an object and calls member for each of its names; member reads the value.
func object(d *jsontext.Decoder, member func(name string) error) error {
	if err := expect(d, '{'); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := member(token.String()); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func expect(d *jsontext.Decoder, want jsontext.Kind) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != want {
		return fmt.Errorf("at byte %d: %v instead of %v", d.InputOffset(), token.Kind(), want)
	}
	return nil
}

func (p *payload) records(d *jsontext.Decoder) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		m, err := record(d)
		if err != nil {
			return fmt.Errorf("record %d: %w", len(p.messages), err)
		}
		p.messages = append(p.messages, m)
	}
	_, err := d.ReadToken()
	return err
}

func record(d *jsontext.Decoder) (queue.Received, error) {
	var m queue.Received
	err := object(d, func(name string) (err error) {
		switch name {
		case "messageId":
			m.ID, err = text(d)
		case "receiptHandle":
			m.Receipt, err = text(d)
		case "body":
			m.Body, err = bytesOf(d)
		case "attributes":
			err = systemAttributes(d, &m)
		case "messageAttributes":
			m.Events, err = eventsAttribute(d)
		default:
			err = d.SkipValue()
		}
		return err
	})
	if err == nil && m.ID == "" {
		err = errors.New("no messageId")
	}
	return m, err
}

func systemAttributes(d *jsontext.Decoder, m *queue.Received) error {
	return object(d, func(name string) error {
		value, err := text(d)
		if err != nil {
			return err
		}
		number, _ := strconv.ParseInt(value, 10, 64) // other attributes are not numbers
		switch name {
		case "ApproximateReceiveCount":
			m.ReceiveCount = int(number)
		case "SentTimestamp":
			m.Sent = time.UnixMilli(number).UTC()
		}
		return nil
	})
}

// eventsAttribute reads the bytes of the attribute that holds a pack's events.
func eventsAttribute(d *jsontext.Decoder) (events []byte, err error) {
	err = object(d, func(name string) error {
		if name != batch.AttributeName {
			return d.SkipValue()
		}
		return object(d, func(name string) error {
			if name != "binaryValue" {
				return d.SkipValue()
			}
			encoded, err := bytesOf(d)
			if err != nil {
				return err
			}
			n, err := base64.StdEncoding.Decode(encoded, encoded) // in place: the result is shorter
			events = encoded[:n]
			return err
		})
	})
	return events, err
}

func text(d *jsontext.Decoder) (string, error) {
	token, err := d.ReadToken()
	if err != nil {
		return "", err
	}
	if token.Kind() != '"' {
		return "", fmt.Errorf("at byte %d: %v instead of a string", d.InputOffset(), token.Kind())
	}
	return token.String(), nil
}

// bytesOf reads a string into bytes of its own.
func bytesOf(d *jsontext.Decoder) ([]byte, error) {
	value, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	if value.Kind() == 'n' {
		return nil, nil
	}
	return jsontext.AppendUnquote(make([]byte, 0, len(value)), value)
}
