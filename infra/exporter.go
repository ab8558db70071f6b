package millrace

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/millrace-dev/millrace/pkg/config"
)

// BatchExporter is a whole Millrace: API, queues, functions, triggers and alarms.
type BatchExporter struct {
	constructs.Construct

	// Queue holds packs on their way to the sinks, DeadLetters those that a sink did not
	// take.
	Queue, DeadLetters awssqs.Queue
	// Bucket holds the events of packs that do not fit a message. It is nil when there is none.
	Bucket awss3.Bucket
	// Table is where flushes recognise duplicates. It is nil when there is none.
	Table awsdynamodb.Table
	// Ingest takes events from the API, Flush delivers them, Replay sends dead letters
	// again.
	Ingest, Flush, Replay awslambda.Function
	// URL is where SDKs send events.
	URL *string

	props   BatchExporterProps
	config  *config.Config
	stack   awscdk.Stack
	key     awskms.IKey
	api     api
	timerDL awssqs.Queue
}

// NewBatchExporter makes a Millrace in a scope. The error joins everything that is wrong
// with the configuration, the props and the built functions; then nothing useful is in
// the scope, and the app must not be synthesised.
func NewBatchExporter(scope constructs.Construct, id string, props *BatchExporterProps) (*BatchExporter, error) {
	loaded, err := config.Load(props.ConfigFile)
	if err != nil {
		return nil, err
	}
	stack := awscdk.Stack_Of(scope)
	complete := props.withDefaults(*stack.StackName(), loaded)
	if err := check(&complete, loaded); err != nil {
		return nil, fmt.Errorf("batch exporter %s: %w", id, err)
	}
	e := &BatchExporter{Construct: constructs.NewConstruct(scope, &id), props: complete, config: loaded, stack: stack}
	e.addQueues()
	e.addTable()
	e.addBucket()
	if err := e.addFunctions(); err != nil {
		return nil, fmt.Errorf("batch exporter %s: %w", id, err)
	}
	e.grant()
	e.addAPI()
	e.addTriggers()
	e.addAlarms()
	if complete.Alarms.Dashboard == on {
		e.addDashboard()
	}
	e.addOutputs()
	awscdk.Aspects_Of(e.Construct).Add(&IAMGuard{}, nil)
	return e, nil
}

// name is a physical name, so that people and the CLI find things.
func (e *BatchExporter) name(suffix string) *string { return jsii.String(e.props.Name + suffix) }

// removal is what happens to what holds data when the stack is destroyed.
func (e *BatchExporter) removal() awscdk.RemovalPolicy {
	if e.props.Functions.Removal == RemovalRetain {
		return awscdk.RemovalPolicy_RETAIN
	}
	return awscdk.RemovalPolicy_DESTROY
}
