package millrace

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"github.com/millrace-dev/millrace/pkg/config"
)

// retentionDays are the days that CloudWatch can keep logs and that make sense here.
//
//nolint:gochecknoglobals // a table that nobody writes to
var retentionDays = map[int]awslogs.RetentionDays{
	1: awslogs.RetentionDays_ONE_DAY, 3: awslogs.RetentionDays_THREE_DAYS, 5: awslogs.RetentionDays_FIVE_DAYS,
	7: awslogs.RetentionDays_ONE_WEEK, 14: awslogs.RetentionDays_TWO_WEEKS, 30: awslogs.RetentionDays_ONE_MONTH,
	60: awslogs.RetentionDays_TWO_MONTHS, 90: awslogs.RetentionDays_THREE_MONTHS, 180: awslogs.RetentionDays_SIX_MONTHS,
	365: awslogs.RetentionDays_ONE_YEAR,
}

// functionPlan is how one function differs from the others.
type functionPlan struct {
	id, name, does string
	memoryMB       int
	timeout        time.Duration
	concurrency    int
	loop           awslambda.RecursiveLoop
}

// addFunctions makes the three functions. The error joins what is wrong with their zips.
func (e *BatchExporter) addFunctions() error {
	p := &e.props
	plans := []struct {
		functionPlan

		into *awslambda.Function
	}{
		{functionPlan{
			id: "Ingest", name: "ingest", does: "takes events of SDKs", memoryMB: p.Functions.IngestMemoryMB,
			timeout: p.Functions.IngestTimeout, concurrency: p.Functions.IngestConcurrency,
		}, &e.Ingest},
		// Lambda stops a chain of 16 invocations through a queue as runaway. A residue that is
		// retried more often is none: retry.max_attempts and retry.max_age end its chain.
		{functionPlan{
			id: "Flush", name: "flush", does: "delivers events to sinks", memoryMB: p.Flush.MemoryMB,
			timeout: p.Flush.Timeout, concurrency: p.Flush.Concurrency, loop: awslambda.RecursiveLoop_ALLOW,
		}, &e.Flush},
		{functionPlan{
			id: "Replay", name: "replay", does: "sends dead letters again", memoryMB: p.Functions.ReplayMemoryMB,
			timeout: p.Functions.ReplayTimeout,
		}, &e.Replay},
	}
	var problems []error
	for _, plan := range plans {
		function, err := e.function(plan.functionPlan)
		problems = append(problems, err)
		*plan.into = function
	}
	return errors.Join(problems...)
}

func (e *BatchExporter) function(plan functionPlan) (awslambda.Function, error) {
	directory, err := stage(&e.props, plan.name)
	if directory != "" {
		defer func() { _ = os.RemoveAll(directory) }() // CDK has its own copy by then
	}
	if err != nil {
		return nil, err
	}
	name := e.name("-" + plan.name)
	logs := awslogs.NewLogGroup(e.Construct, jsii.String(plan.id+"Logs"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + *name), Retention: retentionDays[e.props.Functions.LogDays], RemovalPolicy: e.removal(),
	})
	props := &awslambda.FunctionProps{
		FunctionName: name, Description: jsii.String("Millrace: " + plan.does),
		Runtime: awslambda.Runtime_PROVIDED_AL2023(), Handler: jsii.String("bootstrap"),
		Code: awslambda.Code_FromAsset(&directory, nil), Architecture: e.architecture(),
		MemorySize: jsii.Number(float64(plan.memoryMB)), Timeout: seconds(plan.timeout),
		Environment: e.environment(), LogGroup: logs, LoggingFormat: awslambda.LoggingFormat_JSON,
		ApplicationLogLevelV2: awslambda.ApplicationLogLevel(strings.ToUpper(e.props.LogLevel)),
		Role:                  e.role(plan.id, logs), Tracing: awslambda.Tracing_DISABLED, RecursiveLoop: plan.loop,
	}
	if e.props.Functions.Tracing == on {
		props.Tracing = awslambda.Tracing_ACTIVE
	}
	if plan.concurrency > 0 {
		props.ReservedConcurrentExecutions = jsii.Number(float64(plan.concurrency))
	}
	return awslambda.NewFunction(e.Construct, jsii.String(plan.id), props), nil
}

// role may write to its own log group, and nothing else yet. Lambda's managed policy
// would allow to write to every log group of the account.
func (e *BatchExporter) role(id string, logs awslogs.LogGroup) awsiam.Role {
	role := awsiam.NewRole(e.Construct, jsii.String(id+"Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	allow(role, []string{"logs:CreateLogStream", "logs:PutLogEvents"}, logs.LogGroupArn())
	return role
}

func (e *BatchExporter) architecture() awslambda.Architecture {
	if e.props.Functions.Architecture == ArchitectureX8664 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

// environment is what the functions read: all variables of pkg/config, and the values of
// ${env:NAME} references.
func (e *BatchExporter) environment() *map[string]*string {
	variables := map[string]*string{
		// Relative to the function's own directory, in which it is started.
		config.EnvConfig:        jsii.String(config.FileName),
		config.EnvQueueURL:      e.Queue.QueueUrl(),
		config.EnvDeadLetterURL: e.DeadLetters.QueueUrl(),
		config.EnvLogLevel:      jsii.String(e.props.LogLevel),
		config.EnvAudit:         jsii.String(e.props.Functions.Audit),
		config.EnvTable:         e.tableName(),
		config.EnvBucket:        e.bucketName(),
	}
	for _, name := range slices.Sorted(maps.Keys(e.props.Environment)) {
		variables[name] = jsii.String(e.props.Environment[name])
	}
	return &variables
}

// ownVariables are the environment variables that the construct sets.
func ownVariables() []string {
	return []string{config.EnvConfig, config.EnvQueueURL, config.EnvDeadLetterURL, config.EnvLogLevel, config.EnvAudit, config.EnvTable, config.EnvBucket}
}
