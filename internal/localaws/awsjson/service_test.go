package awsjson_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

type greeting struct {
	Name picky `json:"Name"`
}

// picky refuses some texts while it is decoded.
type picky string

func (p *picky) UnmarshalText(text []byte) error {
	if *p = picky(text); *p == "nobody" {
		return awsjson.Refuse("ValidationException", "nobody is not greeted")
	}
	return nil
}

type greeted struct {
	Text   string
	undone *int
}

func (g greeted) Undo() { *g.undone++ }

// service greets; undone counts the greetings that nobody heard.
func service(undone *int, faults awsjson.Faults) *awsjson.Service {
	return &awsjson.Service{
		Target: "Greeter_1.", Namespace: "com.example#", MaxRequestBytes: 100, Faults: &faults, Logger: slog.New(slog.DiscardHandler),
		Operations: map[string]awsjson.Operation{
			"Greet": awsjson.Decoded(func(_ *http.Request, in greeting) (greeted, error) {
				if in.Name == "conditional" {
					refusal := awsjson.Refuse("ConditionalCheckFailedException", "no")
					refusal.Item = map[string]string{"k": "v"}
					return greeted{}, refusal
				}
				return greeted{"hello " + string(in.Name), undone}, nil
			}),
		},
	}
}

func ask(t *testing.T, s *awsjson.Service, target, body string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	request.Header = header.Clone()
	request.Header.Set("X-Amz-Target", target)
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return recorder
}

func TestService_Replies(t *testing.T) {
	t.Parallel()
	lost := errors.New("the reply is lost")
	strikes := func(when string, answer error) awsjson.Fault {
		return func(operation string, body []byte) error {
			if operation == "Greet" && bytes.Contains(body, []byte(when)) {
				return answer
			}
			return nil
		}
	}
	faults := awsjson.Faults{Intercept: strikes("stop", awsjson.Refuse("ThrottlingException", "slow down")), Lose: strikes("lose", lost)}
	tests := []struct {
		name, target, body string
		status             int
		want, fault        string
	}{
		{"a call", "Greeter_1.Greet", `{"Name":"Ann"}`, 200, `{"Text":"hello Ann"}`, ""},
		{"an unknown operation", "Greeter_1.Leave", `{}`, 400, `{"__type":"com.example#UnknownOperationException"`, "UnknownOperationException;Sender"},
		{"another service", "Greeter_2.Greet", `{}`, 400, `{"__type":"com.example#UnknownOperationException"`, "UnknownOperationException;Sender"},
		{"broken JSON", "Greeter_1.Greet", `{"Name":`, 400, `{"__type":"com.example#SerializationException"`, "SerializationException;Sender"},
		{"a duplicate key", "Greeter_1.Greet", `{"Name":"a","Name":"b"}`, 400, `{"__type":"com.example#SerializationException"`, "SerializationException;Sender"},
		{"a refusal while decoding", "Greeter_1.Greet", `{"Name":"nobody"}`, 400,
			`{"__type":"com.example#ValidationException","message":"nobody is not greeted"}`, "ValidationException;Sender"},
		{"a refusal with an item", "Greeter_1.Greet", `{"Name":"conditional"}`, 400,
			`{"__type":"com.example#ConditionalCheckFailedException","message":"no","Item":{"k":"v"}}`, "ConditionalCheckFailedException;Sender"},
		{"a body over the limit", "Greeter_1.Greet", strings.Repeat(" ", 101), 413, `{"__type":"com.example#RequestEntityTooLarge"`, "RequestEntityTooLarge;Sender"},
		{"a call that is intercepted", "Greeter_1.Greet", `{"Name":"stop"}`, 400, `{"__type":"com.example#ThrottlingException"`, "ThrottlingException;Sender"},
		{"a reply that is lost", "Greeter_1.Greet", `{"Name":"lose"}`, 500, `{"__type":"com.example#InternalFailure"`, "InternalFailure;Receiver"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reply := ask(t, service(new(int), faults), tt.target, tt.body, http.Header{})
			if reply.Code != tt.status || !strings.HasPrefix(reply.Body.String(), tt.want) {
				t.Errorf("got %d %s, want %d %s", reply.Code, reply.Body, tt.status, tt.want)
			}
			header := reply.Header()
			if got := header.Get("X-Amzn-Query-Error"); got != tt.fault {
				t.Errorf("X-Amzn-Query-Error = %q, want %q", got, tt.fault)
			}
			if got, want := header.Get("X-Amz-Crc32"), fmt.Sprint(crc32.ChecksumIEEE(reply.Body.Bytes())); got != want {
				t.Errorf("X-Amz-Crc32 = %q, want %q", got, want)
			}
			if header.Get("X-Amzn-RequestId") == "" || header.Get("Content-Type") != "application/x-amz-json-1.0" {
				t.Errorf("headers = %v", header)
			}
		})
	}
}

func TestService_Signature_OnlyMalformedOnesAreRefused(t *testing.T) {
	t.Parallel()
	for signature, want := range map[string]int{
		"": 200,
		"AWS4-HMAC-SHA256 Credential=a/20261121/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=b": 200,
		"AWS4-HMAC-SHA256 Credential=a, Signature=b":                                                         400,
		"Bearer token": 400,
	} {
		reply := ask(t, service(new(int), awsjson.Faults{}), "Greeter_1.Greet", `{}`, http.Header{"Authorization": {signature}})
		if reply.Code != want {
			t.Errorf("%q: %d %s, want %d", signature, reply.Code, reply.Body, want)
		}
	}
}

// deaf is a connection that breaks when the reply is written.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// hasty is a client that leaves as soon as it has the reply.
type hasty struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

func (h hasty) Write(p []byte) (int, error) {
	h.leave()
	return h.ResponseRecorder.Write(p)
}

func TestService_ClientLeaves_EitherHasTheReplyOrItIsUndone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		leaveFirst bool
		wantStatus int
		wantUndone int
	}{
		{"it leaves with the reply", false, http.StatusOK, 0},
		{"it left before", true, http.StatusInternalServerError, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			undone := 0
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			if test.leaveFirst {
				leave()
			}
			request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{}`))
			request.Header.Set("X-Amz-Target", "Greeter_1.Greet")
			reply := httptest.NewRecorder()
			service(&undone, awsjson.Faults{}).ServeHTTP(hasty{reply, leave}, request)
			if reply.Code != test.wantStatus || undone != test.wantUndone {
				t.Errorf("status %d, undone %d times; want %d and %d", reply.Code, undone, test.wantStatus, test.wantUndone)
			}
		})
	}
}

// broken is a request that ends too early.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestService_BrokenConnections(t *testing.T) {
	t.Parallel()
	undone := 0
	s := service(&undone, awsjson.Faults{})
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{}`))
	request.Header.Set("X-Amz-Target", "Greeter_1.Greet")
	s.ServeHTTP(deaf{httptest.NewRecorder()}, request)
	if undone != 1 {
		t.Errorf("undone %d times, want once", undone)
	}
	request = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", broken{})
	request.Header.Set("X-Amz-Target", "Greeter_1.Greet")
	reply := httptest.NewRecorder()
	s.ServeHTTP(reply, request)
	if !strings.Contains(reply.Body.String(), "#SerializationException") || undone != 1 {
		t.Errorf("half a request: %s, undone %d times; want SerializationException and nothing done", reply.Body, undone)
	}
}
