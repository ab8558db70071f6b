package sqs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

const (
	contentType  = "application/x-amz-json-1.0"
	targetPrefix = "AmazonSQS."
	// shapePrefix starts __type.
	shapePrefix = "com.amazonaws.sqs#"
	// maxRequestBytes bounds a request: 1 MiB of text in which every byte may be written as \u00XX, and some room for the rest.
	maxRequestBytes = 8 << 20
)

// call is what an operation knows of its request beside the input.
type call struct {
	// host is what the client called, for queue URLs.
	host string
	// path is the URL's path, which may name the queue.
	path string
	// trace is the X-Amzn-Trace-Id header.
	trace string
}

// undoer is an output that put something in flight, to be undone when the client is not there to get it.
type undoer interface{ undo() }

// ServeHTTP answers the AWS JSON 1.0 protocol, posted to any path. Signatures are not verified, only refused when malformed.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amzn-RequestId", newID())
	target := r.Header.Get("X-Amz-Target")
	if r.Method != http.MethodPost || target == "" {
		refuseQueryProtocol(w)
		return
	}
	op, known := strings.CutPrefix(target, targetPrefix)
	out, err := s.answer(r, op, known)
	if err != nil {
		s.options.Logger.Debug("sqs call refused", "operation", op, "error", err)
		writeError(w, err)
		return
	}
	err = s.writeOutput(w, out)
	if left := r.Context().Err(); err != nil || left != nil {
		if u, ok := out.(undoer); ok {
			u.undo()
		}
	}
}

func (s *Service) answer(r *http.Request, op string, known bool) (any, error) {
	run, ok := s.operations[op]
	if !known || !ok {
		return nil, refuse("UnknownOperationException", "InvalidAction", "The action %q is not valid for this endpoint; "+
			"the embedded SQS answers the standard-queue operations of the AWS JSON protocol.", op)
	}
	if err := checkSignature(r.Header.Get("Authorization")); err != nil {
		return nil, err
	}
	if err := s.options.Faults.intercept(op); err != nil {
		return nil, err
	}
	body := s.buffer()
	defer s.buffers.Put(body)
	if err := readBody(body, r); err != nil {
		return nil, err
	}
	out, err := run(r.Context(), s, call{host: r.Host, path: r.URL.Path, trace: r.Header.Get("X-Amzn-Trace-Id")}, body.Bytes())
	if err != nil {
		return nil, err
	}
	return out, s.options.Faults.lose(op)
}

func (s *Service) buffer() *bytes.Buffer {
	if b, ok := s.buffers.Get().(*bytes.Buffer); ok {
		b.Reset()
		return b
	}
	return new(bytes.Buffer)
}

func readBody(to *bytes.Buffer, r *http.Request) error {
	n, err := to.ReadFrom(io.LimitReader(r.Body, maxRequestBytes+1))
	switch {
	case err != nil:
		return errSerialization("The request body could not be read: %v", err)
	case n > maxRequestBytes:
		refusal := errNamed("RequestEntityTooLarge", "The request body is longer than %d bytes.", maxRequestBytes)
		refusal.Status = http.StatusRequestEntityTooLarge
		return refusal
	}
	return nil
}

// checkSignature refuses an Authorization header that is no Signature Version 4; none at all is fine for curl.
func checkSignature(header string) error {
	if header == "" {
		return nil
	}
	for _, part := range []string{"AWS4-HMAC-SHA256 ", "Credential=", "SignedHeaders=", "Signature="} {
		if !strings.Contains(header, part) {
			return refuse("IncompleteSignatureException", "IncompleteSignature",
				"Authorization header requires '%s' for AWS Signature Version 4.", strings.TrimSpace(part))
		}
	}
	return nil
}

func (s *Service) writeOutput(w http.ResponseWriter, out any) error {
	body := s.buffer()
	defer s.buffers.Put(body)
	if err := json.MarshalWrite(body, out); err != nil {
		writeError(w, err)
		return fmt.Errorf("sqs reply: %w", err)
	}
	return writeJSON(w, http.StatusOK, body.Bytes())
}

func writeJSON(w http.ResponseWriter, status int, body []byte) error {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("sqs reply: %w", err)
	}
	return nil
}

// writeError answers with __type, message and the header that SDKs read the query protocol's code from.
func writeError(w http.ResponseWriter, err error) {
	refusal := asError(err)
	fault := "Sender"
	if !refusal.senderFault() {
		fault = "Receiver"
	}
	body, err := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{shapePrefix + refusal.Type, strings.ToValidUTF8(refusal.Message, "\uFFFD")})
	if err != nil {
		body = []byte(`{}`) // two strings of valid UTF-8 always marshal
	}
	w.Header().Set("X-Amzn-Query-Error", refusal.Code+";"+fault)
	_ = writeJSON(w, refusal.Status, body) // the client has gone; nothing to tell it
}

// asError turns any error into AWS's shape.
func asError(err error) *Error {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	return errInternal(err)
}

// refuseQueryProtocol answers clients of before 2023, and browsers, in the query protocol's own shape.
func refuseQueryProtocol(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error>`+
		`<Type>Sender</Type><Code>UnsupportedOperation</Code><Message>The embedded SQS speaks only the AWS JSON protocol `+
		`(POST with X-Amz-Target: AmazonSQS.Operation); use an SDK of 2024 or later.</Message><Detail/></Error>`+
		`<RequestId>%s</RequestId></ErrorResponse>`, w.Header().Get("X-Amzn-RequestId"))
}
