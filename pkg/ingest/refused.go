package ingest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// Words of a dead letter that ingest writes. pkg/deadletter reads the same ones.
const (
	stopRefused    = "refused at ingest"
	kindRefused    = "refused"
	classPermanent = "permanent"
)

// maxCauses bounds the dead letters of one request: a hostile one could have a cause of
// its own for every item.
const maxCauses = 10

// maxCauseBytes keeps the excerpt in a header small.
const maxCauseBytes = 1 << 10

// letters packs the refused items, one dead letter for each cause, so that every letter
// explains exactly what it holds.
func (s *shipment) letters() ([]batch.Message, error) {
	var all []batch.Message
	for _, group := range byCause(s.decoded.Refused) {
		meta := s.meta()
		meta.Reason = &batch.Reason{
			Class: classPermanent, Stop: stopRefused, Cause: group.cause, Attempts: 1, First: s.now.UTC(), Last: s.now.UTC(),
		}
		events := make([]event.Event, len(group.refused))
		for i, r := range group.refused {
			events[i] = s.letterEvent(r)
		}
		packs, err := batch.Encode(meta, events)
		if err != nil {
			return nil, fmt.Errorf("encode dead letters: %w", err)
		}
		all = append(all, packs...)
	}
	return all, nil
}

type causeGroup struct {
	cause   string
	refused []*receiver.Refusal
}

// byCause groups refusals by cause, in order; those beyond maxCauses share the last.
func byCause(refused []receiver.Refusal) []causeGroup {
	var groups []causeGroup
	index := make(map[string]int)
	for i := range refused {
		r := &refused[i]
		at, known := index[r.Cause]
		switch {
		case known:
		case len(groups) < maxCauses:
			at = len(groups)
			groups = append(groups, causeGroup{cause: legible(r.Cause)})
		default:
			at = maxCauses - 1
			groups[at].cause = "various causes, of which one: " + legible(r.Cause)
		}
		index[r.Cause] = at
		groups[at].refused = append(groups[at].refused, r)
	}
	return groups
}

// legible makes a cause fit a header: capped, valid UTF-8, and without the characters
// that SQS refuses in a message. Clients choose parts of it, and a letter that SQS never
// takes would hold up the good events of its request for ever.
//
// Source: SQS API reference, SendMessage, MessageBody.
func legible(text string) string {
	if len(text) > maxCauseBytes {
		text = text[:maxCauseBytes] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r == '\uFFFE' || r == '\uFFFF' {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// letterEvent makes an event of a refused item, so that it can travel in a pack.
func (s *shipment) letterEvent(r *receiver.Refusal) event.Event {
	e := event.Event{
		ID: r.ID, Source: s.key.name, Type: kindRefused, Kind: kindRefused,
		Tenant: s.key.tenant, Receiver: s.receiver, Data: keep(r.Data),
	}
	if e.ID == "" || len(e.ID) > maxCauseBytes {
		sum := sha256.Sum256(append([]byte(strconv.Itoa(r.Position)+":"), r.Data...))
		e.ID = hex.EncodeToString(sum[:16])
	}
	return e
}

// roomForFields is what a dead letter's event needs beside its data.
const roomForFields = 8 << 10

// keep turns the bytes of a refused item into JSON that holds them. An item over the
// size of a message loses its end.
func keep(item []byte) []byte {
	const most = batch.MaxEventBytes - roomForFields
	if len(item) <= most && jsontext.Value(item).IsValid() {
		return item
	}
	if data := quote(item); len(data) <= most {
		return data
	}
	for n := min(len(item), most); ; n = n * 3 / 4 {
		if data := quote(trimPartialRune(item[:n])); len(data) <= most {
			return data
		}
	}
}

// quote writes bytes as a JSON string, or as {"base64":"…"} when they are no text.
func quote(data []byte) []byte {
	if utf8.Valid(data) {
		return receiver.AppendQuote(nil, string(data))
	}
	out := base64.StdEncoding.AppendEncode([]byte(`{"base64":"`), data)
	return append(out, `"}`...)
}

// trimPartialRune drops a character that a cut has left unfinished.
func trimPartialRune(data []byte) []byte {
	for i := 1; i <= min(utf8.UTFMax-1, len(data)); i++ {
		if c := data[len(data)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(data[len(data)-i:]) {
				return data[:len(data)-i]
			}
			break
		}
	}
	return data
}
