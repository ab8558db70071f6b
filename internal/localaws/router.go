package localaws

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// route finds the handler of each request to the AWS endpoint.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	name := serviceOf(r)
	handler, isPage := s.options.Pages[r.URL.Path]
	if !isPage {
		handler = s.services[name]
	}
	if handler == nil {
		s.refuse(w, name)
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
func (s *Server) refuse(w http.ResponseWriter, name string) {
	problem := name + " is not emulated"
	if name == "" {
		problem = "the request names no service (no X-Amz-Target, no SigV4 credential scope)"
	}
	emulated := strings.Join(slices.Sorted(maps.Keys(s.services)), " and ")
	refusal := awsjson.Refuse("UnknownOperationException", "This endpoint emulates %s; %s.", emulated, problem)
	refusal.Status = http.StatusNotFound
	new(awsjson.Service).Refuse(w, refusal)
}
