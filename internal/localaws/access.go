package localaws

import (
	"net/http"

	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// AWSURL is the endpoint of all services, for AWS_ENDPOINT_URL.
func (s *Server) AWSURL() string { return s.awsURL }

// APIURL is the front door's base URL, with the stage of a REST API; empty when there is no front door.
func (s *Server) APIURL() string { return s.apiURL }

// QueueURL is a queue's URL, whether the queue exists or not.
func (s *Server) QueueURL(name string) string { return QueueURL(s.awsURL, name) }

// QueueURL is a queue's URL on an endpoint, for Options.Environment.
func QueueURL(awsURL, name string) string { return awsURL + "/" + AccountID + "/" + name }

// QueueARN is a queue's ARN, whether the queue exists or not.
func (s *Server) QueueARN(name string) string {
	return "arn:aws:sqs:" + Region + ":" + AccountID + ":" + name
}

// SQS is the queue service.
func (s *Server) SQS() *sqs.Service { return s.queues }

// Lambda is the host of the functions.
func (s *Server) Lambda() *lambda.Host { return s.functions }

// Mappings are the event-source mappings, in the order of the options.
func (s *Server) Mappings() []*esm.Mapping { return s.mappings }

// Handler is the AWS endpoint without its listener.
func (s *Server) Handler() http.Handler { return s.handler }

// Client calls the AWS endpoint without a socket; it is an aws.HTTPClient.
func (s *Server) Client() inprocess.Transport { return inprocess.Transport{Handler: s.handler} }
