package localaws

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// router sends each request to the service it is for.
type router struct {
	services map[string]http.Handler // by the name of the service in SigV4
	pages    map[string]http.Handler // by exact path
}

func (rt router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler, name := rt.pages[r.URL.Path], ""
	if handler == nil {
		name = serviceOf(r)
		handler = rt.services[name]
	}
	if handler == nil {
		rt.refuse(w, name)
		return
	}
	handler.ServeHTTP(w, r)
}

// scope is the end of a SigV4 credential, in the header or in a presigned URL: AKID/20261121/us-east-1/sqs/aws4_request.
var scope = regexp.MustCompile(`/([^/]+)/aws4_request`)

// serviceOf returns the SigV4 name of the service a request is for, empty when nothing tells. The target header comes first
// because it is part of the call; a scope may be missing (unsigned) and a path may look like anything.
func serviceOf(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" { // AmazonSQS.SendMessage, DynamoDB_20120810.PutItem
		prefix, _, _ := strings.Cut(target, ".")
		prefix, _, _ = strings.Cut(prefix, "_")
		return strings.ToLower(strings.TrimPrefix(prefix, "Amazon"))
	}
	credential := cmp.Or(r.Header.Get("Authorization"), r.URL.Query().Get("X-Amz-Credential"))
	if match := scope.FindStringSubmatch(credential); match != nil {
		return match[1]
	}
	if strings.HasPrefix(r.URL.Path, "/2015-03-31/") {
		return "lambda"
	}
	return ""
}

// refuse names what is emulated, in the error shape that most clients understand.
func (rt router) refuse(w http.ResponseWriter, name string) {
	message := "This endpoint emulates " + strings.Join(slices.Sorted(maps.Keys(rt.services)), " and ") + "; "
	if name == "" {
		message += "the request names no service (no X-Amz-Target, no SigV4 credential scope)."
	} else {
		message += name + " is not emulated."
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-ErrorType", "UnknownOperationException")
	w.WriteHeader(http.StatusNotFound)
	refusal := map[string]string{"__type": "UnknownOperationException", "message": message}
	_ = json.MarshalWrite(w, refusal, jsontext.AllowInvalidUTF8(true)) // the client may be gone
}
