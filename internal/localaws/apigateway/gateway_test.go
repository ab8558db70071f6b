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
	rest := apigateway.Options{Shape: apigateway.ShapeREST}
	badGateway, badReply := `{"message":"Internal server error"}`, `{"message":"Internal Server Error"}`
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
		{"http: broken base64", apigateway.Options{}, `{"statusCode":200,"body":"?","isBase64Encoded":true}`, 500, nil, badReply},
		{"http: a status alone", apigateway.Options{}, `{"statusCode":404}`, 404, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, ""},
		{"http: an object without a status is the body", apigateway.Options{}, `{"body":{},"a":1}`, 200, http.Header{"Content-Type": {"application/json"}}, `{"body":{},"a":1}`},
		{"http: a text is the body", apigateway.Options{}, `"Hello"`, 200, http.Header{"Content-Type": {"application/json"}, "Content-Length": {"7"}}, `"Hello"`},
		{"http: null is the body", apigateway.Options{}, `null`, 200, nil, `null`},
		{"http: a status that is null", apigateway.Options{}, `{"statusCode":null}`, 500, nil, badReply},
		{"http: broken JSON", apigateway.Options{}, `{"a":1`, 500, nil, badReply},
		{"http: nothing", apigateway.Options{}, ``, 500, nil, badReply},
		{"url: an object without a status is the body", apigateway.Options{Shape: apigateway.ShapeURL}, `{"a":1}`, 200, http.Header{"Content-Type": {"application/json"}}, `{"a":1}`},
		{"http: a status and something broken", apigateway.Options{}, `{"statusCode":200,"body":{}}`, 500, nil, badReply},
		{"http: a status out of range", apigateway.Options{}, `{"statusCode":700}`, 500, nil, badReply},
		{"http: connection headers are not passed on", apigateway.Options{}, `{"statusCode":200,"headers":{"connection":"close","transfer-encoding":"chunked","content-length":"99"},"body":"ok"}`,
			200, http.Header{"Connection": nil, "Transfer-Encoding": nil, "Content-Length": {"2"}}, "ok"},
		{"http: no content", apigateway.Options{}, `{"statusCode":204,"body":"dropped"}`, 204, http.Header{"Content-Length": nil}, ""},
		{"rest: a full reply", rest, `{"statusCode":200,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"headers":{"X-A":"1","Set-Cookie":"single"},"body":"{}"}`,
			200, http.Header{"Content-Type": {"application/json"}, "X-A": {"1"}, "Set-Cookie": {"a=1", "b=2"}}, "{}"},
		{"rest: the list wins in either order", rest, `{"statusCode":200,"headers":{"X-A":"single"},"multiValueHeaders":{"X-A":["1","2"]}}`, 200, http.Header{"X-A": {"1", "2"}}, ""},
		{"rest: base64 is decoded", rest, `{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`, 200, nil, "\x00\xff"},
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
	tooLong := bytes.Repeat([]byte{'x'}, apigateway.MaxRequestBytes+1)
	type answer struct {
		status int
		body   string
	}
	type answers map[apigateway.Shape]answer
	failed := answers{"rest": {502, `{"message":"Internal server error"}`}, "http": {500, `{"message":"Internal Server Error"}`}, "url": {502, "Internal Server Error"}}
	refused := answers{
		"rest": {413, `{"message":"Request Too Long"}`}, "http": {413, `{"message":"Request Entity Too Large"}`}, "url": {413, `{"Message":"Request Entity Too Large"}`},
	}
	unavailable := answer{503, `{"message":"Service Unavailable"}`}
	empty := func() io.Reader { return http.NoBody }
	tests := []struct {
		name   string
		invoke apigateway.InvokeFunc
		body   func() io.Reader
		want   answers
	}{
		{"the function failed", failing, empty, failed},
		{"the reply has no sensible status", answering(`{"statusCode":"no"}`), empty, failed},
		{"the function is throttled", refusing(&lambda.Error{Status: 429}), empty, answers{
			"rest": {500, `{"message":"Internal server error"}`}, "http": unavailable, "url": {429, `{"Message":"Rate Exceeded."}`},
		}},
		{"the event is over 6 MB", refusing(&lambda.Error{Status: 413}), empty, refused},
		{"nobody to invoke", refusing(errors.New("gone")), empty, answers{
			"rest": {500, `{"message":"Internal server error"}`}, "http": unavailable, "url": {502, "Internal Server Error"},
		}},
		{"a body over 10 MB with its length", answering(`{}`), func() io.Reader { return bytes.NewReader(tooLong) }, refused},
		{"a body over 10 MB without its length", answering(`{}`), func() io.Reader { return io.LimitReader(zeros{}, apigateway.MaxRequestBytes+1) }, refused},
		{"a body that breaks off", answering(`{}`), func() io.Reader { return brokenBody{} }, answers{
			"rest": {400, `{"message":"Bad Request"}`}, "http": {400, `{"message":"Bad Request"}`}, "url": {400, `{"Message":"Bad Request"}`},
		}},
		{"no reply in time", refusing(context.DeadlineExceeded), empty, answers{
			"rest": {504, `{"message":"Endpoint request timed out"}`}, "http": unavailable, "url": {502, "Internal Server Error"},
		}},
	}
	for _, test := range tests {
		for shape, want := range test.want {
			t.Run(string(shape)+": "+test.name, func(t *testing.T) {
				t.Parallel()
				g := newGateway(t, test.invoke, apigateway.Options{Shape: shape})
				response := serve(g, httptest.NewRequest(http.MethodPost, g.Prefix()+"/x", test.body()))
				if diff := cmp.Diff(want, answer{response.StatusCode, readAll(t, response)}, cmp.AllowUnexported(answer{})); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if got := response.Header.Get("Content-Type"); got != "application/json" {
					t.Errorf("Content-Type = %q", got)
				}
				if got := response.Header.Get("X-Amzn-ErrorType"); (got != "") != (shape == apigateway.ShapeREST) {
					t.Errorf("X-Amzn-Errortype = %q", got)
				}
			})
		}
	}
}

func TestGateway_RefusesALengthOver10MBBeforeItReads(t *testing.T) {
	t.Parallel()
	request := httptest.NewRequest(http.MethodPost, "/x", brokenBody{}) // a 400 if it were read
	request.ContentLength = apigateway.MaxRequestBytes + 1
	if got := serve(newGateway(t, answering(`{}`), apigateway.Options{}), request).StatusCode; got != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d, want 413", got)
	}
}

func TestGateway_REST_PathsOutsideOfTheStage(t *testing.T) {
	t.Parallel()
	g := newGateway(t, answering(`{"statusCode":200}`), apigateway.Options{Shape: apigateway.ShapeREST})
	for _, path := range []string{"/v1/x", "/product"} {
		response := serve(g, httptest.NewRequest(http.MethodPost, path, http.NoBody))
		if body := readAll(t, response); response.StatusCode != 403 || body != `{"message":"Missing Authentication Token"}` {
			t.Errorf("%s: got %d %s", path, response.StatusCode, body)
		}
	}
}

func TestGateway_Rate_IsASteadyStreamAndABurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, answering(`{"statusCode":204}`), apigateway.Options{Shape: apigateway.ShapeREST, Rate: 2, Burst: 3})
		request := func() int { return serve(g, httptest.NewRequest(http.MethodGet, "/prod/", http.NoBody)).StatusCode }
		var got []int
		for range 4 {
			got = append(got, request())
		}
		time.Sleep(time.Second)
		for range 3 {
			got = append(got, request())
		}
		if diff := cmp.Diff([]int{204, 204, 204, 429, 204, 204, 429}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestGateway_TimesOut(t *testing.T) {
	t.Parallel()
	for shape, want := range map[apigateway.Shape]struct {
		timeout time.Duration
		status  int
	}{
		apigateway.ShapeHTTP: {30 * time.Second, 503}, apigateway.ShapeREST: {29 * time.Second, 504}, apigateway.ShapeURL: {15 * time.Minute, 502},
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
				if took := time.Since(begin); response.StatusCode != want.status || took != want.timeout {
					t.Errorf("got %d after %s, want %d after %s", response.StatusCode, took, want.status, want.timeout)
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
