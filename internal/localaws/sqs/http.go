package sqs

import (
	"fmt"
	"net/http"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// maxRequestBytes bounds a request: 1 MiB of text in which every byte may be written as \u00XX, and some room for the rest.
const maxRequestBytes = 8 << 20

// newProtocol returns what answers over the wire.
func (s *Service) newProtocol() *awsjson.Service {
	return &awsjson.Service{
		Target: "AmazonSQS.", Namespace: "com.amazonaws.sqs#", MaxRequestBytes: maxRequestBytes,
		Operations: s.operations(), Faults: s.options.Faults, Logger: s.options.Logger,
	}
}

// ServeHTTP answers the AWS JSON 1.0 protocol, posted to any path. Signatures are not verified, only refused when malformed.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Amz-Target") == "" {
		refuseQueryProtocol(w)
		return
	}
	s.protocol.ServeHTTP(w, r)
}

// refuseQueryProtocol answers clients of before 2023, and browsers, in the query protocol's own shape.
func refuseQueryProtocol(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error>`+
		`<Type>Sender</Type><Code>UnsupportedOperation</Code><Message>The embedded SQS speaks only the AWS JSON protocol `+
		`(POST with X-Amz-Target: AmazonSQS.Operation); use an SDK of 2024 or later.</Message><Detail/></Error>`+
		`<RequestId>%s</RequestId></ErrorResponse>`, newID())
}
