package dynamodb

import (
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// maxRequestBytes bounds a request. Source: Amazon DynamoDB Developer Guide: 16 MB for any request.
const maxRequestBytes = 16 << 20

var errDiskFull = errors.New("the disk of the data directory is nearly full")

// decoded makes an operation of a method with typed input and output. A parameter that the input does not
// have is refused: it would be ignored in silence otherwise.
func decoded[In, Out any](method func(in *In) (Out, error)) awsjson.Operation {
	return awsjson.Decoded(func(_ *http.Request, in In) (Out, error) { return method(&in) }, json.RejectUnknownMembers(true))
}

// newProtocol returns what answers over the wire.
func (s *Service) newProtocol() *awsjson.Service {
	return &awsjson.Service{
		Target: "DynamoDB_20120810.", Namespace: "com.amazonaws.dynamodb.v20120810#", MaxRequestBytes: maxRequestBytes,
		Faults: s.options.Faults, Logger: s.options.Logger,
		Operations: map[string]awsjson.Operation{
			"CreateTable":        decoded(s.createTable),
			"DescribeTable":      decoded(s.describeTable),
			"ListTables":         decoded(s.listTables),
			"DeleteTable":        decoded(s.deleteTable),
			"UpdateTimeToLive":   decoded(s.updateTimeToLive),
			"DescribeTimeToLive": decoded(s.describeTimeToLive),
			"PutItem":            decoded(s.putItem),
			"GetItem":            decoded(s.getItem),
			"DeleteItem":         decoded(s.deleteItem),
			"BatchGetItem":       decoded(s.batchGetItem),
			"Scan":               decoded(s.scan),
		},
	}
}

// ServeHTTP answers the AWS JSON 1.0 protocol. Signatures are not verified.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.protocol.ServeHTTP(w, r) }
