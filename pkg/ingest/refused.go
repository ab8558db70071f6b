package ingest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/receiver"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// maxCauses bounds the dead letters of one request: a hostile one could have a cause of
// its own for every item.
const maxCauses = 10

// maxIDBytes is the longest id of a refused item that its letter keeps as its own.
const maxIDBytes = 1 << 10

// letters packs the refused items, one dead letter for each cause, so that every letter
// explains exactly what it holds. An item is kept up to a size of maxBytes.
func (s *shipment) letters(maxBytes int) ([]batch.Message, error) {
	var all []batch.Message
	for _, group := range byCause(s.decoded.Refused) {
		meta := s.meta()
		meta.Reason = &batch.Reason{
			Class: string(retry.Permanent), Stop: deadletter.StopRefused, Cause: group.cause, Attempts: 1, First: s.now.UTC(), Last: s.now.UTC(),
		}
		events := make([]event.Event, len(group.refused))
		for i, r := range group.refused {
			events[i] = s.letterEvent(r, maxBytes)
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
			groups = append(groups, causeGroup{cause: deadletter.Cause(r.Cause)})
		default:
			at = maxCauses - 1
			groups[at].cause = "various causes, of which one: " + deadletter.Cause(r.Cause)
		}
		index[r.Cause] = at
		groups[at].refused = append(groups[at].refused, r)
	}
	return groups
}

// letterEvent makes an event of a refused item, so that it can travel in a pack.
func (s *shipment) letterEvent(r *receiver.Refusal, maxBytes int) event.Event {
	e := event.Event{
		ID: r.ID, Source: s.key.name, Type: deadletter.KindRefused, Kind: deadletter.KindRefused,
		Tenant: s.key.tenant, Receiver: s.receiver, Data: keep(r.Data, maxBytes-roomForFields),
	}
	if e.ID == "" || len(e.ID) > maxIDBytes {
		sum := sha256.Sum256(append([]byte(strconv.Itoa(r.Position)+":"), r.Data...))
		e.ID = hex.EncodeToString(sum[:16])
	}
	return e
}

// roomForFields is what a dead letter's event needs beside its data.
const roomForFields = 8 << 10

// keep turns the bytes of a refused item into JSON that holds them. An item of which that
// is over most bytes loses its end.
func keep(item []byte, most int) []byte {
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
