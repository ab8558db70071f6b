package lambdahttp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/millrace-dev/millrace/pkg/ingest/lambdahttp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var _ lambda.Handler = (*lambdahttp.Handler)(nil)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// told is what a handler sees of a request.
type told struct {
	Method, Path, Query, Host, From, Body string
	Header                                http.Header
}

func TestHandler_Invoke_BuildsTheRequest(t *testing.T) {
	t.Parallel()
	const host = "abc.execute-api.eu-west-1.amazonaws.com"
	for _, tt := range []struct {
		fixture string
		want    told
	}{
		{"rest-v1.json", told{
			Method: "POST", Path: "/batch/", Query: "ip=1&tag=one%26only&tag=two+words", Host: host, From: "192.0.2.1", Body: "{\"api_key\":\"phc_demo\",\"batch\":[]}\n",
			Header: http.Header{"Content-Type": {"application/json"}, "Host": {host}, "X-Twice": {"first", "second"}, "Cookie": {"a=1; b=2"}},
		}},
		{"rest-v1-base64.json", told{
			Method: "POST", Path: "/e", Query: "compression=gzip", Host: host, From: "192.0.2.1", Body: "\x1f\x8b\x08\x00\x00\x00\xff\xef",
			Header: http.Header{"Content-Encoding": {"gzip"}, "Host": {host}},
		}},
		{"http-v1.json", told{Method: "GET", Path: "/v1/ingest", Host: host, From: "2001:db8::1", Header: http.Header{"Host": {host}}}},
		{"http-v2.json", told{
			Method: "POST", Path: "/i/v0/e", Query: "ip=1&tag=one%26only&tag=two+words", Host: host, From: "192.0.2.1", Body: `{"event":"größe 😀"}`,
			Header: http.Header{"Content-Type": {"application/json"}, "Host": {host}, "X-Twice": {"first,second"}, "Cookie": {"a=1; b=2"}},
		}},
		{"function-url.json", told{
			Method: "GET", Path: "/array/phc_demo/config x", Host: "abc.lambda-url.eu-west-1.on.aws", From: "192.0.2.1",
			Header: http.Header{"Host": {"abc.lambda-url.eu-west-1.on.aws"}, "X-Forwarded-For": {"192.0.2.1"}},
		}},
	} {
		t.Run(tt.fixture, func(t *testing.T) {
			t.Parallel()
			var got told
			h := lambdahttp.Handler{HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || r.ContentLength != int64(len(body)) || r.Body.Close() != nil {
					t.Errorf("body of %d bytes, error %v, Content-Length %d", len(body), err, r.ContentLength)
				}
				got = told{r.Method, r.URL.Path, r.URL.RawQuery, r.Host, r.RemoteAddr, string(body), r.Header}
			})}
			if _, err := h.Invoke(t.Context(), fixture(t, tt.fixture)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// answers are what a handler may do, by the name of the golden files.
var answers = map[string]http.HandlerFunc{
	"text": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Add("Vary", "Origin")
		w.Header().Add("Vary", "Accept")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2, 3")
		w.WriteHeader(http.StatusBadRequest)
		w.WriteHeader(http.StatusOK) // too late
		fmt.Fprint(w, `{"error":"größe \ `, "\n", `"}`)
	},
	"binary": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte{0xff, 0x00, 0x1f}) },
	"encoded": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		fmt.Fprint(w, "ascii")
	},
	"nothing": func(http.ResponseWriter, *http.Request) {},
}

func TestHandler_Invoke_WritesTheReply(t *testing.T) {
	t.Parallel()
	for name, answer := range answers {
		for _, shape := range []string{"rest-v1", "http-v2"} {
			t.Run(name+" "+shape, func(t *testing.T) {
				t.Parallel()
				h := lambdahttp.Handler{HTTP: answer}
				got, err := h.Invoke(t.Context(), fixture(t, shape+".json"))
				if err != nil {
					t.Fatal(err)
				}
				golden := filepath.Join("testdata", "reply-"+name+"-"+shape+".json")
				if *update {
					if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want := strings.TrimSuffix(string(fixture(t, filepath.Base(golden))), "\n")
				if string(got) != want {
					t.Errorf("reply = %s\nwant    %s", got, want)
				}
				checkAgainstSDK(t, shape, got, answer)
			})
		}
	}
}

// checkAgainstSDK reads the reply with the event structs of aws-lambda-go.
func checkAgainstSDK(t *testing.T, shape string, reply []byte, answer http.HandlerFunc) {
	t.Helper()
	w := httptest.NewRecorder()
	answer(w, nil)
	var status int
	var body string
	var isBase64 bool
	var cookies, vary []string
	if shape == "rest-v1" {
		var r events.APIGatewayProxyResponse
		if err := json.Unmarshal(reply, &r); err != nil {
			t.Fatal(err)
		}
		status, body, isBase64, cookies, vary = r.StatusCode, r.Body, r.IsBase64Encoded, r.MultiValueHeaders["Set-Cookie"], r.MultiValueHeaders["Vary"]
	} else {
		var r events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(reply, &r); err != nil {
			t.Fatal(err)
		}
		status, body, isBase64, cookies = r.StatusCode, r.Body, r.IsBase64Encoded, r.Cookies
		if r.Headers["Vary"] != "" {
			vary = strings.Split(r.Headers["Vary"], ", ")
		}
	}
	if isBase64 {
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			t.Fatal(err)
		}
		body = string(decoded)
	}
	if status != w.Code || body != w.Body.String() || !slices.Equal(cookies, w.Header()["Set-Cookie"]) || !slices.Equal(vary, w.Header()["Vary"]) {
		t.Errorf("reply = %d %q, cookies %q, Vary %q, want %d %q, %q, %q", status, body, cookies, vary, w.Code, w.Body, w.Header()["Set-Cookie"], w.Header()["Vary"])
	}
}

func TestHandler_Invoke_StagePrefix(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, event, want string }{
		{"HTTP API with a stage", `{"rawPath":"/prod/e","requestContext":{"stage":"prod","http":{"method":"GET"}}}`, "/e"},
		{"HTTP API, the stage alone", `{"rawPath":"/prod","requestContext":{"stage":"prod","http":{"method":"GET"}}}`, ""},
		{"HTTP API, a path that starts like the stage", `{"rawPath":"/production/e","requestContext":{"stage":"prod","http":{"method":"GET"}}}`, "/production/e"},
		{"HTTP API at the root", `{"rawPath":"/prod/e","requestContext":{"stage":"$default","http":{"method":"GET"}}}`, "/prod/e"},
		{"REST API, a resource named like the stage", `{"httpMethod":"GET","path":"/e/x","requestContext":{"stage":"e","path":"/e/e/x"}}`, "/e/x"},
		{"REST API behind a custom domain", `{"httpMethod":"GET","path":"/e","requestContext":{"stage":"prod","path":"/e"}}`, "/e"},
		{"requestContext first and method last", `{"requestContext":{"path":"/prod/e","stage":"prod"},"path":"/prod/e","httpMethod":"GET"}`, "/e"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := "not called"
			h := lambdahttp.Handler{HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Path })}
			if _, err := h.Invoke(t.Context(), []byte(tt.event)); err != nil || got != tt.want {
				t.Errorf("path = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestHandler_Invoke_OtherPayloads(t *testing.T) {
	t.Parallel()
	h := lambdahttp.Handler{HTTP: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called for no HTTP event") })}
	for _, payload := range []string{``, `null`, `[]`, `"x"`, `{}`, `{"Records":[]}`, `{"version":"2.0","requestContext":{}}`, `{"httpMethod":null}`, `{"requestContext":{"http":{}}}`} {
		if got, err := h.Invoke(t.Context(), []byte(payload)); err == nil || !strings.Contains(err.Error(), "not an HTTP event") {
			t.Errorf("Invoke(%s) = %s, %v, want an error", payload, got, err)
		}
	}
	if _, err := h.Invoke(t.Context(), []byte(`{"httpMethod":"GET"`)); err == nil || !strings.Contains(err.Error(), "scan event") {
		t.Errorf("a cut off payload: error = %v", err)
	}
	got, err := h.Invoke(t.Context(), []byte(`{"httpMethod":"POST","path":"/e","body":"%%%","isBase64Encoded":true}`))
	if err != nil || !strings.HasPrefix(string(got), `{"statusCode":400,`) {
		t.Errorf("a body that is not base64: %s, %v, want 400", got, err)
	}
}

func TestHandler_Invoke_LeavesTimeForTheReply(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]time.Duration{30 * time.Second: 29500 * time.Millisecond, time.Second: 900 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), left)
			defer cancel()
			reported := false
			h := lambdahttp.Handler{
				HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
					w.WriteHeader(http.StatusServiceUnavailable)
				}),
				Report: func(ctx context.Context) { reported = ctx.Err() == nil },
			}
			got, err := h.Invoke(ctx, fixture(t, "http-v2.json"))
			if err != nil || !strings.HasPrefix(string(got), `{"statusCode":503`) || !reported {
				t.Errorf("reply = %s, %v, reported in time: %v, want 503, true", got, err, reported)
			}
			if took := time.Since(start); took != want {
				t.Errorf("with %v left it ended after %v, want %v", left, took, want)
			}
		})
	}
}

func FuzzHandler_Invoke(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		f.Add(fixture(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		called := false
		h := lambdahttp.Handler{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			called = true
			if r.Method == "" && !strings.Contains(string(payload), `""`) {
				t.Error("no method")
			}
			maps.Copy(w.Header(), r.Header)
			io.Copy(w, r.Body)
		})}
		reply, err := h.Invoke(t.Context(), payload)
		if err != nil && called {
			t.Errorf("called, and then an error: %v", err)
		}
		if err == nil && !json.Valid(reply) {
			t.Errorf("reply is no JSON: %s", reply)
		}
	})
}
