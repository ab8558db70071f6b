package apigateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/apigateway"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// answering is a function that always answers the same.
func answering(payload string) apigateway.InvokeFunc {
	return func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{Payload: []byte(payload)}, nil
	}
}

func refusing(err error) apigateway.InvokeFunc {
	return func(context.Context, []byte) (lambda.Result, error) { return lambda.Result{}, err }
}

func newGateway(tb testing.TB, invoke apigateway.InvokeFunc, options apigateway.Options) *apigateway.Gateway {
	tb.Helper()
	g, err := apigateway.New(invoke, options)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func serve(g http.Handler, r *http.Request) *http.Response {
	recorder := httptest.NewRecorder()
	g.ServeHTTP(recorder, r)
	return recorder.Result()
}

func readAll(tb testing.TB, r *http.Response) string {
	tb.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(body)
}

func TestGateway_Replies(t *testing.T) {
	t.Parallel()
	rest, restImages := apigateway.Options{Shape: apigateway.ShapeREST}, apigateway.Options{Shape: apigateway.ShapeREST, BinaryMediaTypes: []string{"image/*"}}
	badGateway := `{"message":"Internal server error"}`
	tests := []struct {
		name    string
		options apigateway.Options
		payload string
		status  int
		header  http.Header // the ones to compare
		body    string
	}{
		{"http: a full reply", apigateway.Options{}, `{"statusCode":201,"headers":{"content-type":"text/csv","X-A":"1"},"cookies":["a=1","b=2"],"body":"x,y\n","isBase64Encoded":false}`,
			201, http.Header{"Content-Type": {"text/csv"}, "X-A": {"1"}, "Set-Cookie": {"a=1", "b=2"}, "Content-Length": {"4"}}, "x,y\n"},
		{"http: base64 is decoded", apigateway.Options{}, `{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`, 200, nil, "\x00\xff"},
		{"http: broken base64", apigateway.Options{}, `{"statusCode":200,"body":"?","isBase64Encoded":true}`, 502, nil, badGateway},
		{"http: status as a string, no type", apigateway.Options{}, `{"statusCode":"404"}`, 404, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, ""},
		{"http: no status makes it the body", apigateway.Options{}, `{"a":1}`, 200, http.Header{"Content-Type": {"application/json"}}, `{"a":1}`},
		{"http: no JSON makes it the body", apigateway.Options{}, `half {`, 200, http.Header{"Content-Type": {"application/json"}}, `half {`},
		{"http: null makes it the body", apigateway.Options{}, `null`, 200, nil, `null`},
		{"http: a status and something broken", apigateway.Options{}, `{"statusCode":200,"body":{}}`, 502, nil, badGateway},
		{"http: a status out of range", apigateway.Options{}, `{"statusCode":700}`, 502, nil, badGateway},
		{"http: numbers and booleans as header values", apigateway.Options{}, `{"statusCode":200,"headers":{"X-N":5,"X-B":true}}`, 200, http.Header{"X-N": {"5"}, "X-B": {"true"}}, ""},
		{"http: connection headers are not passed on", apigateway.Options{}, `{"statusCode":200,"headers":{"connection":"close","transfer-encoding":"chunked","content-length":"99"},"body":"ok"}`,
			200, http.Header{"Connection": nil, "Transfer-Encoding": nil, "Content-Length": {"2"}}, "ok"},
		{"http: no content", apigateway.Options{}, `{"statusCode":204,"body":"dropped"}`, 204, http.Header{"Content-Length": nil}, ""},
		{"rest: a full reply", rest, `{"statusCode":200,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"headers":{"X-A":"1","Set-Cookie":"single"},"body":"{}"}`,
			200, http.Header{"Content-Type": {"application/json"}, "X-A": {"1"}, "Set-Cookie": {"a=1", "b=2"}}, "{}"},
		{"rest: the list wins in either order", rest, `{"statusCode":200,"headers":{"X-A":"single"},"multiValueHeaders":{"X-A":["1","2"]}}`, 200, http.Header{"X-A": {"1", "2"}}, ""},
		{"rest: base64 is decoded with */*", rest, `{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`, 200, nil, "\x00\xff"},
		{"rest: base64 stays when nothing matches Accept", restImages, `{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`, 200, nil, "AP8="},
		{"rest: no status", rest, `{"a":1}`, 502, nil, badGateway},
		{"rest: no object", rest, `"hello"`, 502, nil, badGateway},
		{"rest: more after the reply", rest, `{"statusCode":200} x`, 502, nil, badGateway},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, answering(test.payload), test.options)
			response := serve(g, httptest.NewRequest(http.MethodGet, g.Prefix()+"/x", http.NoBody))
			if body := readAll(t, response); response.StatusCode != test.status || body != test.body {
				t.Errorf("got %d %q, want %d %q", response.StatusCode, body, test.status, test.body)
			}
			for name, want := range test.header {
				if diff := cmp.Diff(want, response.Header[name]); diff != "" {
					t.Errorf("header %s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestGateway_Errors(t *testing.T) {
	t.Parallel()
	failing := func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{Payload: []byte(`{"errorMessage":"secret"}`), FunctionError: lambda.Unhandled}, nil
	}
	tests := []struct {
		name    string
		invoke  apigateway.InvokeFunc
		options apigateway.Options
		path    string
		body    io.Reader
		status  int
		message string
	}{
		{"the function failed", failing, apigateway.Options{}, "/", http.NoBody, 502, "Internal server error"},
		{"throttled", refusing(&lambda.Error{Status: 429}), apigateway.Options{}, "/", http.NoBody, 429, "Too Many Requests"},
		{"the event is over 6 MB", refusing(&lambda.Error{Status: 413}), apigateway.Options{}, "/", http.NoBody, 413, "Request Too Long"},
		{"nobody to invoke", refusing(errors.New("gone")), apigateway.Options{}, "/", http.NoBody, 503, "Service Unavailable"},
		{"a body over 10 MB with its length", answering(`{}`), apigateway.Options{}, "/", bytes.NewReader(make([]byte, apigateway.MaxRequestBytes+1)), 413, "Request Too Long"},
		{"a body over 10 MB without its length", answering(`{}`), apigateway.Options{}, "/", io.LimitReader(zeros{}, apigateway.MaxRequestBytes+1), 413, "Request Too Long"},
		{"a body that breaks off", answering(`{}`), apigateway.Options{}, "/", brokenBody{}, 400, "Bad Request"},
		{"a REST path without the stage", answering(`{"statusCode":200}`), apigateway.Options{Shape: apigateway.ShapeREST}, "/v1/x", http.NoBody, 403, "Missing Authentication Token"},
		{"a REST path that only begins like the stage", answering(`{"statusCode":200}`), apigateway.Options{Shape: apigateway.ShapeREST}, "/product", http.NoBody, 403, "Missing Authentication Token"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			response := serve(newGateway(t, test.invoke, test.options), httptest.NewRequest(http.MethodPost, test.path, test.body))
			if body, want := readAll(t, response), `{"message":"`+test.message+`"}`; response.StatusCode != test.status || body != want {
				t.Errorf("got %d %s, want %d %s", response.StatusCode, body, test.status, want)
			}
			if got := response.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type = %q", got)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestGateway_TimesOut(t *testing.T) {
	t.Parallel()
	for shape, timeout := range map[apigateway.Shape]time.Duration{
		apigateway.ShapeHTTP: 30 * time.Second, apigateway.ShapeREST: 29 * time.Second, apigateway.ShapeURL: 15 * time.Minute,
	} {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, func(ctx context.Context, _ []byte) (lambda.Result, error) {
					<-ctx.Done()
					return lambda.Result{}, context.Cause(ctx)
				}, apigateway.Options{Shape: shape})
				begin := time.Now()
				response := serve(g, httptest.NewRequest(http.MethodGet, g.Prefix()+"/", http.NoBody))
				if took := time.Since(begin); response.StatusCode != 504 || took != timeout {
					t.Errorf("got %d after %s, want 504 after %s", response.StatusCode, took, timeout)
				}
			})
		})
	}
}

func TestGateway_RequestIDAndAccessLog(t *testing.T) {
	t.Parallel()
	for shape, header := range map[apigateway.Shape]string{apigateway.ShapeHTTP: "Apigw-Requestid", apigateway.ShapeURL: "X-Amzn-Requestid"} {
		var log bytes.Buffer
		g := newGateway(t, answering(`{"statusCode":200,"body":"ok"}`), apigateway.Options{Shape: shape, AccessLog: slog.New(slog.NewTextHandler(&log, nil))})
		response := serve(g, httptest.NewRequest(http.MethodPut, "/seen", http.NoBody))
		id := response.Header.Get(header)
		if id == "" || !strings.Contains(log.String(), "method=PUT path=/seen status=200 bytes=2") || !strings.Contains(log.String(), id) {
			t.Errorf("%s: id %q, access log %q", shape, id, log.String())
		}
	}
}

func TestNew_UnknownShape(t *testing.T) {
	t.Parallel()
	if _, err := apigateway.New(nil, apigateway.Options{Shape: "soap"}); err == nil || !strings.Contains(err.Error(), `"soap"`) {
		t.Errorf("got %v, want an error that names the shape", err)
	}
}
