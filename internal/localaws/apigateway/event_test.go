package apigateway

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123_000_000, time.UTC)

// newCall is a request as it arrives, at a fixed moment and with a fixed trace.
func newCall(method, target, body string, header http.Header) *call {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:8080"
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header = header
	r.Header.Set("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793")
	return &call{Request: r, path: r.URL.Path, body: body, id: "request-id", begin: noon}
}

var jsonHeader = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"sdk/1"}}

func TestEvent_Golden(t *testing.T) {
	t.Parallel()
	rich := http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"sdk/1"}, "X-Many": {"one", "two"}, "Authorization": {"Bearer k"},
		"Cookie": {"a=1; b=2", "c=3"}, "Connection": {"keep-alive"}, "X-Forwarded-For": {"10.0.0.1"}, "Content-Length": {"17"},
	}
	tests := []struct {
		name, golden string
		options      Options
		call         *call
		strip        string
	}{
		{"an HTTP API's request with everything", "http_full", Options{}, newCall("POST", "/v1/b%20c?a=1&a=2&b=%2B&flag", `{"say":"\u00e9\n"}`, rich.Clone()), ""},
		{"an HTTP API's request with nothing", "http_bare", Options{}, newCall("GET", "/", "", http.Header{}), ""},
		{"a REST API's request with everything", "rest_full", Options{Shape: ShapeREST}, newCall("POST", "/prod/v1/b%20c?a=1&a=2&b=%2B", `{"say":"é"}`, rich.Clone()), "/prod"},
		{"a REST API's request with nothing", "rest_bare", Options{Shape: ShapeREST}, newCall("GET", "/prod", "", http.Header{}), "/prod"},
		{"a function URL's request", "url", Options{Shape: ShapeURL}, newCall("POST", "/v1/b%20c", `{}`, jsonHeader.Clone()), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.call.path = strings.TrimPrefix(test.call.path, test.strip); test.call.path == "" {
				test.call.path = "/"
			}
			g, err := New(nil, test.options)
			if err != nil {
				t.Fatal(err)
			}
			got := indent(t, encode(t, g, test.call))
			path := filepath.Join("testdata", test.golden+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
		})
	}
}

func encode(tb testing.TB, g *Gateway, c *call) []byte {
	tb.Helper()
	event, err := marshal(g.encode(c))
	if err != nil {
		tb.Fatal(err)
	}
	return event
}

func encodeAs(t *testing.T, options Options) []byte {
	t.Helper()
	g, err := New(nil, options)
	if err != nil {
		t.Fatal(err)
	}
	return encode(t, g, newCall("POST", "/x?a=1&a=2", "{}", jsonHeader.Clone()))
}

// indent sorts the members too, because headers come in any order.
func indent(t *testing.T, event []byte) []byte {
	t.Helper()
	var value any
	if err := json.Unmarshal(event, &value); err != nil {
		t.Fatalf("event %s: %v", event, err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEvent_DecodesIntoAWSsStructs(t *testing.T) {
	t.Parallel()
	var two events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(encodeAs(t, Options{}), &two); err != nil {
		t.Fatal(err)
	}
	if two.QueryStringParameters["a"] != "1,2" || two.Headers["content-type"] != "application/json" || two.RequestContext.HTTP.Method != "POST" || two.Body != "{}" {
		t.Errorf("format 2.0 = %+v", two)
	}
	var one events.APIGatewayProxyRequest
	if err := json.Unmarshal(encodeAs(t, Options{Shape: ShapeREST}), &one); err != nil {
		t.Fatal(err)
	}
	if len(one.MultiValueQueryStringParameters["a"]) != 2 || one.MultiValueHeaders["Content-Type"][0] != "application/json" || one.Body != "e30=" || !one.IsBase64Encoded {
		t.Errorf("format 1.0 = %+v", one)
	}
}

func TestEvent_Base64Rules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		options          Options
		contentType, enc string
		base64           bool
	}{
		{"http: JSON is text", Options{}, "application/json", "", false},
		{"http: parameters and case do not matter", Options{}, "Application/JSON; charset=utf-8", "", false},
		{"http: text/* is text", Options{}, "text/csv", "", false},
		{"http: XML is text", Options{}, "application/xml", "", false},
		{"http: identity changes nothing", Options{}, "application/json", "identity", false},
		{"http: a content encoding makes it binary", Options{}, "application/json", "gzip", true},
		{"http: a form is binary", Options{}, "application/x-www-form-urlencoded", "", true},
		{"http: +json is binary", Options{}, "application/vnd.api+json", "", true},
		{"http: no type is binary", Options{}, "", "", true},
		{"url: as http", Options{Shape: ShapeURL}, "image/png", "", true},
		{"rest: everything is binary", Options{Shape: ShapeREST}, "application/json", "", true},
		{"rest: so is no type", Options{Shape: ShapeREST}, "", "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if test.contentType != "" {
				header.Set("Content-Type", test.contentType)
			}
			if test.enc != "" {
				header.Set("Content-Encoding", test.enc)
			}
			g, err := New(nil, test.options)
			if err != nil {
				t.Fatal(err)
			}
			var event struct {
				Body            string
				IsBase64Encoded bool
			}
			if err := json.Unmarshal(encode(t, g, newCall("POST", "/", "hi!", header)), &event); err != nil {
				t.Fatal(err)
			}
			want := map[bool]string{true: "aGkh", false: "hi!"}[test.base64]
			if event.IsBase64Encoded != test.base64 || event.Body != want {
				t.Errorf("got %q, base64 %v; want %q, %v", event.Body, event.IsBase64Encoded, want, test.base64)
			}
		})
	}
}

// benchmarkEvent builds the event of 50 events of 1 KB.
func benchmarkEvent(b *testing.B, shape Shape) {
	b.Helper()
	g, err := New(nil, Options{Shape: shape})
	if err != nil {
		b.Fatal(err)
	}
	one := `{"event":"page viewed","distinct_id":"u1","properties":{"filler":"` + strings.Repeat("x", 950) + `"}}`
	body := "[" + strings.Repeat(one+",", 49) + one + "]"
	c := newCall("POST", "/batch?compression=none", body, jsonHeader.Clone())
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		encode(b, g, c)
	}
}

func BenchmarkEvent_HTTP(b *testing.B) { benchmarkEvent(b, ShapeHTTP) }
func BenchmarkEvent_REST(b *testing.B) { benchmarkEvent(b, ShapeREST) }

func BenchmarkDecode(b *testing.B) {
	payload := []byte(`{"statusCode":200,"headers":{"content-type":"application/json","x-request-id":"r"},"multiValueHeaders":{},"body":"{\"status\":\"ok\"}","isBase64Encoded":false,"cookies":null}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode2(payload); err != nil {
			b.Fatal(err)
		}
	}
}
