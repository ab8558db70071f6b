package sinktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// IDs is a multiset of event ids: how often each arrived.
type IDs map[string]int

// Total counts arrivals, repeats included.
func (ids IDs) Total() int {
	total := 0
	for _, n := range ids {
		total += n
	}
	return total
}

// Missing returns those of want that never arrived, in the order of want.
func (ids IDs) Missing(want []string) []string {
	var missing []string
	for _, id := range want {
		if ids[id] == 0 {
			missing = append(missing, id)
		}
	}
	return missing
}

// Repeated returns the ids that arrived more than once, sorted.
func (ids IDs) Repeated() []string {
	var repeated []string
	for id, n := range ids {
		if n > 1 {
			repeated = append(repeated, id)
		}
	}
	slices.Sort(repeated)
	return repeated
}

func (ids IDs) add(more []string) {
	for _, id := range more {
		ids[id]++
	}
}

// RecordIDs reads the ids of a body of records, NDJSON or a JSON array.
func RecordIDs(r *Request) ([]string, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(r.Body))
	if decoder.PeekKind() == '[' {
		var records []identified
		if err := json.UnmarshalDecode(decoder, &records); err != nil {
			return nil, fmt.Errorf("array of records: %w", err)
		}
		return idsOf(records)
	}
	var records []identified
	for {
		var one identified
		err := json.UnmarshalDecode(decoder, &one)
		if errors.Is(err, io.EOF) {
			return idsOf(records)
		}
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", len(records)+1, err)
		}
		records = append(records, one)
	}
}

type identified struct {
	ID *string `json:"id"`
}

func idsOf(records []identified) ([]string, error) {
	ids := make([]string, len(records))
	for i, r := range records {
		if r.ID == nil {
			return nil, fmt.Errorf("record %d has no id", i+1)
		}
		ids[i] = *r.ID
	}
	return ids, nil
}

// maxBodyBytes bounds the body of one request, compressed or not.
const maxBodyBytes = 64 << 20

// decompress undoes a request's Content-Encoding.
func decompress(encoding string, body io.Reader) ([]byte, error) {
	switch encoding {
	case "", "identity":
	case "gzip":
		reader, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("gzip body: %w", err)
		}
		body = reader
	case "zstd":
		reader, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBodyBytes))
		if err != nil {
			return nil, fmt.Errorf("zstd body: %w", err)
		}
		defer reader.Close()
		body = reader
	default:
		return nil, fmt.Errorf("body: unknown Content-Encoding %q", encoding)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxBodyBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s body: %w", encoding, err)
	}
	if len(data) > maxBodyBytes {
		return nil, fmt.Errorf("body: over %d bytes", maxBodyBytes)
	}
	return data, nil
}
