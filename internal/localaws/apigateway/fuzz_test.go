package apigateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func FuzzDecodeReply(f *testing.F) {
	for _, seed := range []string{
		`{"statusCode":200,"headers":{"a":"b"},"multiValueHeaders":{"c":["d","e"]},"cookies":["x=1"],"body":"{}","isBase64Encoded":false}`,
		`{"statusCode":301,"headers":null,"cookies":null,"body":null}`, `{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`,
		`{"statusCode":200,"headers":{"a\r\nb":"c\r\nd"}}`, `null`, `"text"`, `{"statusCode":1e2}`, `{"body":"\ud800"}`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		answer, err := decode2(payload)
		if err != nil {
			return
		}
		if answer.status < 200 || answer.status > 599 {
			t.Errorf("status %d of %q", answer.status, payload)
		}
		answer.write(httptest.NewRecorder()) // must not panic
	})
}

func FuzzEvent(f *testing.F) {
	f.Add("/v1/x", "a=1&b=%zz", "application/json", "text\xff")
	f.Add("/%2e%2e/", "", "", "")
	f.Add("/", "%fe=1&%ff=2", "", "") // two names that are one as UTF-8: a bad request
	f.Fuzz(func(t *testing.T, path, query, contentType, body string) {
		for _, shape := range []Shape{ShapeHTTP, ShapeREST, ShapeURL} {
			g, err := New(nil, Options{Shape: shape})
			if err != nil {
				t.Fatal(err)
			}
			c := newCall(http.MethodPost, "/", body, http.Header{"Content-Type": {contentType}})
			c.URL.Path, c.URL.RawQuery, c.path = path, query, path
			if event, err := marshal(g.encode(c)); err == nil && !json.Valid(event) {
				t.Errorf("%s: event is no JSON: %q", shape, event)
			}
		}
	})
}
