package localaws

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/internal/localaws/apigateway"
	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

const (
	// AccountID owns everything.
	AccountID = "000000000000"
	// Region is where everything is.
	Region = "us-east-1"
)

// Options declare what exists. The zero value is an empty account on two random ports.
type Options struct {
	// AWSAddress is where the AWS endpoint listens; it must be loopback. Default "127.0.0.1:0", a random port.
	AWSAddress string
	// APIAddress is where the front door listens; it must be loopback. Default "127.0.0.1:0", a random port.
	APIAddress string
	// DataDir keeps the queues, the tables and the objects on disk, in directories of those names, so that they survive a restart and
	// a kill -9; it is made when missing. One process at a time can have it. Default: in memory.
	DataDir string
	// Queues, Functions, Mappings and Schedules are created at the start.
	Queues    []Queue
	Functions []lambda.Function
	Mappings  []Mapping
	Schedules []Schedule
	// Tables are DynamoDB tables that are created at the start.
	Tables []Table
	// Buckets are the names of S3 buckets that are created at the start.
	Buckets []string
	// FrontDoor is the HTTP API; without a function there is none.
	FrontDoor FrontDoor
	// Environment returns variables for every function, given the URL of the AWS endpoint, which with port 0 is not known before.
	// AWS_ENDPOINT_URL is set in any case. Default: none.
	Environment func(awsURL string) map[string]string
	// Lambda configures the host of the functions. Region, AccountID and Environment are set by Start.
	Lambda lambda.Options
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

// Queue is one SQS queue.
type Queue struct {
	// Name is the queue's name.
	Name string
	// Attributes are SQS's own, e.g. "VisibilityTimeout": "30".
	Attributes map[string]string
	// DeadLetterQueue is the name of the queue that gets a message after MaxReceiveCount receives; empty for none.
	// It stands for the attribute RedrivePolicy.
	DeadLetterQueue string
	// MaxReceiveCount is 1 to 1,000; it is required with a DeadLetterQueue.
	MaxReceiveCount int
}

// Table is a DynamoDB table with a partition key and no sort key.
type Table struct {
	// Name of the table; Key is its partition key, of type KeyType: "S" or "B".
	Name, Key, KeyType string
	// TTL is the attribute with the time to live; empty for none.
	TTL string
}

// Mapping is an event-source mapping from a queue to a function.
type Mapping struct {
	// Function is the name of the function.
	Function string
	// Options are the mapping's. QueueARN, Region, Visibility and Logger are set by Start.
	Options esm.Options
}

// Schedule invokes a function asynchronously on a schedule.
type Schedule struct {
	// Name appears in logs.
	Name string
	// Expression is rate(…), cron(…) or at(…), TimeZone its IANA time zone (default UTC).
	Expression, TimeZone string
	// Function is the name of the function, Input its event (default {}).
	Function string
	Input    []byte
}

// FrontDoor is the HTTP API in front of one function.
type FrontDoor struct {
	// Function is the name of the function; empty for no front door.
	Function string
	// Options are the gateway's. AccountID is set by Start.
	Options apigateway.Options
}

func (o Options) withDefaults() Options {
	o.AWSAddress = cmp.Or(o.AWSAddress, "127.0.0.1:0")
	o.APIAddress = cmp.Or(o.APIAddress, "127.0.0.1:0")
	if o.Environment == nil {
		o.Environment = func(string) map[string]string { return nil }
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o
}

// validate joins the problems that no service can see on its own: addresses, and names that nothing has.
func (o Options) validate() error {
	problems := []error{checkLoopback(o.AWSAddress), checkLoopback(o.APIAddress)}
	need := func(who, kind, name string, exists bool) {
		if !exists {
			problems = append(problems, fmt.Errorf("%s: there is no %s %q", who, kind, name))
		}
	}
	for _, q := range o.Queues {
		if q.DeadLetterQueue != "" {
			need("queue "+q.Name, "queue", q.DeadLetterQueue, o.hasQueue(q.DeadLetterQueue))
		}
	}
	for _, m := range o.Mappings {
		need("event source mapping", "queue", m.Options.Queue, o.hasQueue(m.Options.Queue))
		need("event source mapping of "+m.Options.Queue, "function", m.Function, o.hasFunction(m.Function))
		problems = append(problems, m.Options.Validate())
	}
	for _, s := range o.Schedules {
		need("schedule "+s.Name, "function", s.Function, o.hasFunction(s.Function))
	}
	if name := o.FrontDoor.Function; name != "" {
		need("front door", "function", name, o.hasFunction(name))
	}
	return errors.Join(problems...)
}

func (o Options) hasQueue(name string) bool {
	return slices.ContainsFunc(o.Queues, func(q Queue) bool { return q.Name == name })
}

func (o Options) hasFunction(name string) bool {
	return slices.ContainsFunc(o.Functions, func(f lambda.Function) bool { return f.Name == name })
}

// checkLoopback refuses an address that other machines could reach: nothing here checks who calls.
func checkLoopback(address string) error {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return fmt.Errorf("listen address %q: %w", address, err)
	}
	if !resolved.IP.IsLoopback() {
		return fmt.Errorf("listen address %q is not loopback, and nobody is asked for credentials here; use 127.0.0.1:%d", address, resolved.Port)
	}
	return nil
}
