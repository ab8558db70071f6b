package dynamodb

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	contentType  = "application/x-amz-json-1.0"
	targetPrefix = "DynamoDB_20120810."
	shapePrefix  = "com.amazonaws.dynamodb.v20120810#"
	// maxRequestBytes bounds a request. Source: Amazon DynamoDB Developer Guide: 16 MB for
	// any request.
	maxRequestBytes = 16 << 20
)

var errDiskFull = errors.New("the disk of the data directory is nearly full")

// operation decodes a request body and runs one call.
type operation func(s *Service, body []byte) (any, error)

// decoded makes an operation of a method with typed input and output. A parameter that the input does not
// have is refused: it would be ignored in silence otherwise.
func decoded[In, Out any](method func(s *Service, in *In) (Out, error)) operation {
	return func(s *Service, body []byte) (any, error) {
		in := new(In)
		if err := json.Unmarshal(body, in, json.RejectUnknownMembers(true)); err != nil {
			return nil, errSerialization(err)
		}
		return method(s, in)
	}
}

//nolint:gochecknoglobals // a constant table
var operations = map[string]operation{
	"CreateTable":        decoded((*Service).createTable),
	"DescribeTable":      decoded((*Service).describeTable),
	"ListTables":         decoded((*Service).listTables),
	"DeleteTable":        decoded((*Service).deleteTable),
	"UpdateTimeToLive":   decoded((*Service).updateTimeToLive),
	"DescribeTimeToLive": decoded((*Service).describeTimeToLive),
	"PutItem":            decoded((*Service).putItem),
	"GetItem":            decoded((*Service).getItem),
	"DeleteItem":         decoded((*Service).deleteItem),
	"BatchGetItem":       decoded((*Service).batchGetItem),
	"Scan":               decoded((*Service).scan),
}

// ServeHTTP answers the AWS JSON 1.0 protocol. Signatures are not verified.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := s.answer(w, r)
	if err != nil {
		s.options.Logger.Debug("dynamodb call refused", "target", r.Header.Get("X-Amz-Target"), "error", err)
		writeError(w, err)
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		writeError(w, fmt.Errorf("encode reply: %w", err))
		return
	}
	reply(w, http.StatusOK, body)
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	op, known := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	run := operations[op]
	if r.Method != http.MethodPost || !known || run == nil {
		return nil, errOperation(op)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		return nil, errSerialization(err)
	}
	call := Call{Operation: op, Body: body}
	if err := s.options.Faults.intercept(call); err != nil {
		return nil, err
	}
	out, err := run(s, body)
	if err != nil {
		return nil, err
	}
	return out, s.options.Faults.lose(call)
}

// writeError answers an *Error as it is, anything else as a failure of the server.
func writeError(w http.ResponseWriter, err error) {
	var refusal *Error
	if !errors.As(err, &refusal) {
		refusal = errKept(err)
	}
	body, _ := json.Marshal(struct {
		Type    string         `json:"__type"`
		Message string         `json:"message"`
		Item    jsontext.Value `json:"Item,omitempty"`
	}{shapePrefix + refusal.Type, refusal.Message, refusal.item})
	reply(w, refusal.Status, body)
}

// reply carries the checksum that SDKs verify.
func reply(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
