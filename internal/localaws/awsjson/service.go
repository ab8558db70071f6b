package awsjson

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/uuid/v5"
)

const contentType = "application/x-amz-json-1.0"

// Operation runs one call. It must not keep body.
type Operation func(r *http.Request, body []byte) (any, error)

// Undoer is an output that is taken back when the client is not there to get it.
type Undoer interface{ Undo() }

// Service answers the protocol for one AWS service. It is safe for concurrent use; its fields must not change any more then.
type Service struct {
	// Target starts X-Amz-Target ("AmazonSQS."), Namespace starts __type ("com.amazonaws.sqs#").
	Target, Namespace string
	// Operations are what it answers, by name.
	Operations map[string]Operation
	// MaxRequestBytes bounds a request.
	MaxRequestBytes int64
	// Faults lets tests make calls fail.
	Faults *Faults
	// Logger gets one debug line for each refused call.
	Logger *slog.Logger

	buffers sync.Pool
}

// Decoded makes an operation of a function with typed input and output. An *Error from a method that decodes is the refusal.
func Decoded[In, Out any](run func(r *http.Request, in In) (Out, error), options ...json.Options) Operation {
	return func(r *http.Request, body []byte) (any, error) {
		var in In
		err := json.Unmarshal(body, &in, options...)
		if refusal, ok := errors.AsType[*Error](err); ok {
			return nil, refusal
		}
		if err != nil {
			return nil, Refuse("SerializationException", "The request body is not what this operation takes: %v", err)
		}
		return run(r, in)
	}
}

// ServeHTTP answers a call, posted to any path.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := s.answer(r)
	if err != nil {
		s.Logger.Debug("aws call refused", "target", r.Header.Get("X-Amz-Target"), "error", err)
		s.Refuse(w, AsError(err))
		return
	}
	// Before the reply: a client that leaves while it gets one may have it.
	if err = r.Context().Err(); err == nil {
		err = s.reply(w, http.StatusOK, out)
	} else {
		s.Refuse(w, AsError(err))
	}
	if undoer, ok := out.(Undoer); ok && err != nil {
		undoer.Undo()
	}
}

func (s *Service) answer(r *http.Request) (any, error) {
	name, known := strings.CutPrefix(r.Header.Get("X-Amz-Target"), s.Target)
	run, ok := s.Operations[name]
	if r.Method != http.MethodPost || !known || !ok {
		return nil, Refuse("UnknownOperationException", "The action %q is not valid for this endpoint, or not emulated. "+
			"It speaks only the AWS JSON protocol (POST with X-Amz-Target: %sOperation).", name, s.Target)
	}
	if !isSignature(r.Header.Get("Authorization")) {
		return nil, Refuse("IncompleteSignatureException",
			"Authorization header requires 'AWS4-HMAC-SHA256' with 'Credential=', 'SignedHeaders=' and 'Signature='.")
	}
	body := s.buffer()
	defer s.buffers.Put(body)
	if err := s.read(body, r); err != nil {
		return nil, err
	}
	if err := s.Faults.Intercept.Ask(name, body.Bytes()); err != nil {
		return nil, err
	}
	out, err := run(r, body.Bytes())
	if err != nil {
		return nil, err
	}
	return out, s.Faults.Lose.Ask(name, body.Bytes())
}

// isSignature says whether an Authorization header may be a Signature Version 4; none at all is fine for curl.
func isSignature(header string) bool {
	return header == "" || strings.HasPrefix(header, "AWS4-HMAC-SHA256 ") && strings.Contains(header, "Credential=") &&
		strings.Contains(header, "SignedHeaders=") && strings.Contains(header, "Signature=")
}

func (s *Service) buffer() *bytes.Buffer {
	if b, ok := s.buffers.Get().(*bytes.Buffer); ok {
		b.Reset()
		return b
	}
	return new(bytes.Buffer)
}

func (s *Service) read(to *bytes.Buffer, r *http.Request) error {
	n, err := to.ReadFrom(io.LimitReader(r.Body, s.MaxRequestBytes+1))
	switch {
	case err != nil:
		return Refuse("SerializationException", "The request body could not be read: %v", err)
	case n > s.MaxRequestBytes:
		refusal := Refuse("RequestEntityTooLarge", "The request body is longer than %d bytes.", s.MaxRequestBytes)
		refusal.Status = http.StatusRequestEntityTooLarge
		return refusal
	}
	return nil
}

// Refuse answers with an error, and with the header that SDKs read the query protocol's code from.
func (s *Service) Refuse(w http.ResponseWriter, refusal *Error) {
	fault := "Sender"
	if !refusal.SenderFault() {
		fault = "Receiver"
	}
	w.Header().Set("X-Amzn-Query-Error", refusal.Code+";"+fault)
	named := *refusal
	named.Type = s.Namespace + named.Type
	_ = s.reply(w, refusal.Status, &named) // the client has gone; nothing to tell it
}

// reply sends a value with the checksum that SDKs verify. Texts that clients sent in headers may be no UTF-8.
func (s *Service) reply(w http.ResponseWriter, status int, value any) error {
	body := s.buffer()
	defer s.buffers.Put(body)
	if err := json.MarshalWrite(body, value, jsontext.AllowInvalidUTF8(true)); err != nil {
		panic(fmt.Errorf("aws reply: %w", err)) // shapes of texts, numbers and bytes always marshal
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body.Bytes())), 10))
	header.Set("X-Amzn-RequestId", uuid.Must(uuid.NewV4()).String())
	w.WriteHeader(status)
	_, err := w.Write(body.Bytes())
	return err
}
