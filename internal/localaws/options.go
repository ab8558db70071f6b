package localaws

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/internal/localaws/account"
	"github.com/millrace-dev/millrace/internal/localaws/apigateway"
	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/scheduler"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// Options declare what exists. The zero value is an empty account on two random ports.
type Options struct {
	// AWSAddress is where the AWS endpoint listens, APIAddress where the front door does. Both must be loopback. Default
	// "127.0.0.1:0", a random port.
	AWSAddress, APIAddress string
	// DataDir keeps the queues, the tables and the objects on disk, in directories of those names, so that they survive a restart and
	// a kill -9; it is made when missing. One process at a time can have it. Default: in memory.
	DataDir string
	// Queues, Functions, Mappings (from queues to functions) and Schedules are created at the start. A mapping's visibility and logger
	// are set to the queue's and to Logger.
	Queues    []Queue
	Functions []lambda.Function
	Mappings  []esm.Options
	Schedules []scheduler.Schedule
	// Tables are DynamoDB tables that are created at the start.
	Tables []Table
	// Buckets are the names of S3 buckets that are created at the start.
	Buckets []string
	// FrontDoor is the name of the function behind the HTTP API; without one there is none. Gateway are the API's options.
	FrontDoor string
	Gateway   apigateway.Options
	// Environment returns variables for every function, given the URL of the AWS endpoint, which with port 0 is not known before.
	// AWS_ENDPOINT_URL is set in any case. Default: none.
	Environment func(awsURL string) map[string]string
	// Pages are handlers of the AWS endpoint for exact paths, asked before any service: for what the owner wants to serve beside
	// AWS. Default: none.
	Pages map[string]http.Handler
	// Faults lets tests make SQS calls fail, TableFaults those of DynamoDB; nil means none.
	Faults      *sqs.Faults
	TableFaults *dynamodb.Faults
	// FileSystem is where DataDir is; nil means the machine's. Tests put one here that is full.
	FileSystem vfs.FS
	// Logger gets what goes wrong in the background. Default: nothing.
	Logger *slog.Logger
}

// Queue is one SQS queue. A queue of that name from an earlier run gets the attributes.
type Queue struct {
	// Name is the queue's name.
	Name string
	// Attributes are SQS's own, e.g. "VisibilityTimeout": "30". A "RedrivePolicy" must name a queue that is declared before: see RedrivePolicy.
	Attributes map[string]string
}

// RedrivePolicy is the attribute of a queue whose messages become dead letters after so many receives, 1 to 1,000.
func RedrivePolicy(deadLetterQueue string, maxReceiveCount int) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, account.ARN("sqs", deadLetterQueue), maxReceiveCount)
}

// QueueURL is a queue's URL on an endpoint, whether the queue exists or not.
func QueueURL(awsURL, name string) string { return awsURL + "/" + account.ID + "/" + name }

// Table is a DynamoDB table with a partition key and no sort key.
type Table struct {
	// Name of the table; Key is its partition key, of type KeyType: "S" or "B".
	Name, Key, KeyType string
	// TTL is the attribute with the time to live; empty for none.
	TTL string
}
