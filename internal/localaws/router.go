package localaws

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// HealthPath answers 200 as long as the endpoint serves.
const HealthPath = "/_millrace/health"

// router sends each request to the service it is for. Add a service here under its SigV4 name.
type router struct {
	services map[string]http.Handler
	pages    map[string]http.Handler // by exact path
}

func (rt router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == HealthPath {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
		return
	}
	if page := rt.pages[r.URL.Path]; page != nil {
		page.ServeHTTP(w, r)
		return
	}
	name := serviceOf(r)
	if service := rt.services[name]; service != nil {
		service.ServeHTTP(w, r)
		return
	}
	rt.refuse(w, name)
}

// serviceOf returns the SigV4 name of the service a request is for, empty when nothing tells. The target header comes first
// because it is part of the call; a scope may be missing (unsigned) and a path may look like anything.
func serviceOf(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return targetService(target)
	}
	if name := scopeService(r); name != "" {
		return name
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/2015-03-31/"):
		return "lambda"
	case strings.HasPrefix(r.URL.Path, "/"+AccountID+"/"):
		return "sqs"
	default:
		return ""
	}
}

// targetService returns the service of an X-Amz-Target such as AmazonSQS.SendMessage.
func targetService(target string) string {
	prefix, _, _ := strings.Cut(target, ".")
	switch prefix {
	case "AmazonSQS":
		return "sqs"
	case "DynamoDB_20120810":
		return "dynamodb"
	default:
		return strings.ToLower(prefix)
	}
}

// scopeService takes the service out of a SigV4 credential, in the header or in a presigned URL:
// AKID/20261121/us-east-1/sqs/aws4_request.
func scopeService(r *http.Request) string {
	_, credential, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !found {
		if !strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
			return ""
		}
		credential = r.URL.Query().Get("X-Amz-Credential")
	}
	credential, _, _ = strings.Cut(credential, ",")
	parts := strings.Split(credential, "/")
	if len(parts) < 5 {
		return ""
	}
	return parts[len(parts)-2]
}

// refuse names what is emulated, in the error shape that the asked service's clients understand.
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
	body, _ := jsontext.AppendQuote([]byte(`{"__type":"UnknownOperationException","message":`), message)
	_, _ = w.Write(append(body, '}'))
}
