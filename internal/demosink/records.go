package demosink

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Limits of one request.
const (
	// MaxBodyBytes bounds a body after decompression; the largest batch a sink sends is far smaller.
	MaxBodyBytes = 64 << 20
	// maxRecords bounds the events of one request.
	maxRecords = 200_000
	// maxWindowBytes bounds what a zstd frame may ask the decoder to hold.
	maxWindowBytes = 8 << 20
)

var errTooLarge = errors.New("body too large")

// Record is one event as it arrived.
type Record struct {
	// ID is the event's "id", else its "uuid", else its "data.uuid"; empty when it has none.
	ID string
	// JSON is the event on one line.
	JSON []byte
}

// readBody undoes the content encoding and reads at most MaxBodyBytes.
func readBody(body io.Reader, encoding string) ([]byte, error) {
	switch encoding {
	case "", "identity":
		return readLimited(body)
	case "gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return readLimited(unzipped)
	case "zstd":
		unzipped, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindowBytes))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		defer unzipped.Close()
		return readLimited(unzipped)
	}
	return nil, fmt.Errorf("content encoding %q is not gzip, zstd or identity", encoding)
}

func readLimited(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBodyBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read body: %w", err)
	case len(data) > MaxBodyBytes:
		return nil, fmt.Errorf("%w: over %d bytes", errTooLarge, MaxBodyBytes)
	}
	return data, nil
}

// parseRecords splits a JSON array, NDJSON or a single object into records. Every record must be a JSON object; one that
// is not refuses the whole body, because the sender's encoder is then broken.
func parseRecords(body []byte) ([]Record, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	if decoder.PeekKind() == '[' {
		return readArray(decoder)
	}
	var records []Record
	for {
		record, err := readRecord(decoder)
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", len(records)+1, err)
		}
		if records = append(records, record); len(records) > maxRecords {
			return nil, fmt.Errorf("%w: over %d events", errTooLarge, maxRecords)
		}
	}
}

// readArray reads one array of records, and nothing after it.
func readArray(decoder *jsontext.Decoder) ([]Record, error) {
	if _, err := decoder.ReadToken(); err != nil {
		return nil, fmt.Errorf("array: %w", err)
	}
	var records []Record
	for decoder.PeekKind() != ']' {
		record, err := readRecord(decoder)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", len(records)+1, noEOF(err))
		}
		if records = append(records, record); len(records) > maxRecords {
			return nil, fmt.Errorf("%w: over %d events", errTooLarge, maxRecords)
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, fmt.Errorf("array: %w", err)
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one array")
	}
	return records, nil
}

// noEOF keeps an early end from being read as a good one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func readRecord(decoder *jsontext.Decoder) (Record, error) {
	value, err := decoder.ReadValue()
	if err != nil {
		return Record{}, err //nolint:wrapcheck // the caller says which record
	}
	if value.Kind() != '{' {
		return Record{}, fmt.Errorf("%s is not an object", value.Kind())
	}
	line := value.Clone()
	if err := line.Compact(); err != nil {
		return Record{}, fmt.Errorf("compact: %w", err)
	}
	id, err := recordID(line)
	return Record{ID: id, JSON: line}, err
}

// recordID reads only the members that may name the event.
func recordID(object []byte) (string, error) {
	names, err := stringMembers(jsontext.NewDecoder(bytes.NewReader(object)))
	if err != nil {
		return "", err
	}
	for _, name := range []string{"id", "uuid", "data.uuid"} {
		if names[name] != "" {
			return names[name], nil
		}
	}
	return "", nil
}

// stringMembers returns the members "id" and "uuid" of an object that are text, and "data.uuid".
func stringMembers(decoder *jsontext.Decoder) (map[string]string, error) {
	found := make(map[string]string)
	if _, err := decoder.ReadToken(); err != nil { // the opening brace
		return nil, fmt.Errorf("object: %w", err)
	}
	for decoder.PeekKind() != '}' {
		name, err := decoder.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("object: %w", err)
		}
		member := name.String()
		switch kind := decoder.PeekKind(); {
		case kind == '"' && (member == "id" || member == "uuid"):
			text, err := decoder.ReadToken()
			if err != nil {
				return nil, fmt.Errorf("member %s: %w", member, err)
			}
			found[member] = text.String()
		case kind == '{' && member == "data" && decoder.StackDepth() == 1:
			inner, err := stringMembers(decoder)
			if err != nil {
				return nil, err
			}
			found["data.uuid"] = inner["uuid"]
		default:
			if err := decoder.SkipValue(); err != nil {
				return nil, fmt.Errorf("member %s: %w", member, err)
			}
		}
	}
	_, err := decoder.ReadToken()
	if err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	return found, nil
}
