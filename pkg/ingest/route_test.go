package ingest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/ingest"
)

func TestHandler_Routes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, base, method, path string
		status                   int
		contains                 string
	}{
		{"exact", "", "POST", "/v1/ingest", 401, "no write key"},
		{"a trailing slash", "", "POST", "/batch/", 400, "empty body"},
		{"repeated slashes", "", "POST", "//i///v0/e//", 400, "empty body"},
		{"below a base path", "/collect", "POST", "/collect/batch", 400, "empty body"},
		{"base path with slashes", "collect/", "POST", "/collect/batch", 400, "empty body"},
		{"outside the base path", "/collect", "POST", "/batch", 404, `"path":"/collect/batch"`},
		{"a path that only starts like the base path", "/collect", "POST", "/collector/batch", 404, "not_found"},
		{"the base path itself", "/collect", "GET", "/collect", 200, `{"status":"ok"}`},
		{"health", "", "GET", "/healthz", 200, `{"status":"ok"}`},
		{"health at the root", "", "GET", "/", 200, `{"status":"ok"}`},
		{"a stub", "", "POST", "/flags/", 200, `"featureFlags":{}`},
		{"a stub with a wildcard", "", "GET", "/array/phc_demo/config", 200, `"supportedCompression"`},
		{"a wildcard needs a segment", "", "GET", "/array//config", 404, "not_found"},
		{"an unknown path", "", "POST", "/v2/ingest", 404, `{"path":"/v1/ingest","methods":["POST"]}`},
		{"a wrong method", "", "PUT", "/v1/ingest", 405, `"message":"this path takes POST, OPTIONS"`},
		{"a wrong method on a stub", "", "POST", "/array/phc_demo/config.js", 405, "this path takes GET, OPTIONS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *ingest.Options) { o.BasePath = tt.base })
			body := ""
			if tt.name == "exact" {
				body = "{}"
			}
			resp := b.do(tt.method, "http://h"+tt.path, body)
			got := text(t, resp)
			if resp.StatusCode != tt.status || !strings.Contains(got, tt.contains) {
				t.Errorf("%s %s = %d %s, want %d with %s", tt.method, tt.path, resp.StatusCode, got, tt.status, tt.contains)
			}
			if (resp.StatusCode == 405) != (resp.Header.Get("Allow") != "") {
				t.Errorf("status %d with Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
			}
		})
	}
}

func TestHandler_NotFoundListsWhatExists(t *testing.T) {
	t.Parallel()
	resp := setup(t).post("/nowhere", "")
	var reply struct {
		Error  struct{ Code, Message string }
		Routes []struct {
			Path    string
			Methods []string
		}
	}
	if err := json.Unmarshal([]byte(text(t, resp)), &reply, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, r := range reply.Routes {
		paths = append(paths, r.Path)
	}
	want := []string{
		"/", "/array/{token}/config", "/array/{token}/config.js", "/batch", "/capture", "/decide", "/e", "/engage",
		"/flags", "/flags/definitions", "/healthz", "/i/v0/e", "/track", "/v1/ingest",
	}
	if resp.StatusCode != 404 || reply.Error.Code != "not_found" || !slices.Equal(paths, want) {
		t.Errorf("reply = %d %+v, want 404 listing %v", resp.StatusCode, reply, want)
	}
}

func TestHandler_CORS(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/e", "/v1/ingest", "/nowhere", "/"} {
		resp := b.do(http.MethodOptions, "http://h"+path, "", "Origin: https://shop.example", "Access-Control-Request-Headers: authorization, x-what")
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Allow-Credentials": "true",
			"Access-Control-Allow-Methods": "GET, POST, OPTIONS", "Access-Control-Allow-Headers": "authorization, x-what", "Access-Control-Max-Age": "3600",
		} {
			if got := resp.Header.Get(name); resp.StatusCode != 204 || got != want {
				t.Errorf("OPTIONS %s = %d, %s: %q, want 204, %q", path, resp.StatusCode, name, got, want)
			}
		}
		if vary := resp.Header.Values("Vary"); !slices.Contains(vary, "Origin") {
			t.Errorf("Vary = %v, want Origin in it", vary)
		}
	}
	resp := b.post("/e", "", "Origin: https://shop.example")
	if got := resp.Header.Get("Access-Control-Allow-Origin"); got != "https://shop.example" {
		t.Errorf("an error has Access-Control-Allow-Origin %q: the page could not read it", got)
	}
	if got := resp.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(got, "Retry-After") {
		t.Errorf("Access-Control-Expose-Headers = %q, want Retry-After in it", got)
	}
	if got := b.post("/e", "").Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("without an Origin: Access-Control-Allow-Origin = %q, want none", got)
	}
}
