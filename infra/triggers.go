package millrace

import (
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// drainRequest starts a flush that polls until the queue is empty.
const drainRequest = `{"drain":true}`

// Retries of a scheduled invocation that could not be started. Another comes soon anyway.
const (
	scheduleRetries    = 2
	scheduleAgeSeconds = 300
)

// addTriggers makes what starts flush and replay.
func (e *BatchExporter) addTriggers() {
	p := &e.props.Flush
	if p.Trigger != TriggerSchedule {
		e.mapQueue()
	}
	if p.Trigger != TriggerQueue {
		e.schedule("Drain", e.Flush, p.Schedule, drainRequest)
	}
	if e.props.Replay.Schedule != "" {
		e.schedule("ScheduledReplay", e.Replay, e.props.Replay.Schedule, e.props.Replay.Request)
	}
}

// mapQueue hands packs from the main queue to flush. Only the main queue: a mapping of the
// dead letters would send poison round for ever.
func (e *BatchExporter) mapQueue() {
	awslambda.NewEventSourceMapping(e.Construct, jsii.String("Packs"), &awslambda.EventSourceMappingProps{
		Target: e.Flush, EventSourceArn: e.Queue.QueueArn(),
		BatchSize:               jsii.Number(float64(e.props.Flush.BatchSize)),
		MaxBatchingWindow:       seconds(windowOf(e.config)),
		MaxConcurrency:          jsii.Number(float64(e.props.Flush.MaxConcurrency)),
		ReportBatchItemFailures: jsii.Bool(true),
	}).Node().AddDependency(e.Flush.Role())
}

// schedule invokes a function regularly. What cannot be invoked goes to a queue of its own.
func (e *BatchExporter) schedule(id string, function awslambda.Function, expression, request string) {
	if e.props.Flush.Scheduler == SchedulerRule {
		awsevents.NewRule(e.Construct, &id, &awsevents.RuleProps{
			Schedule: awsevents.Schedule_Expression(&expression),
			Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(function, &awseventstargets.LambdaFunctionProps{
				Event:           eventOf(request),
				DeadLetterQueue: e.timerDeadLetters(), RetryAttempts: jsii.Number(scheduleRetries),
				MaxEventAge: awscdk.Duration_Seconds(jsii.Number(scheduleAgeSeconds)),
			})},
		})
		return
	}
	role := awsiam.NewRole(e.Construct, jsii.String(id+"Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			// Only schedules of this account may use the role.
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": e.stack.Account()}},
		}),
	})
	letters := e.timerDeadLetters()
	allow(role, []string{"lambda:InvokeFunction"}, function.FunctionArn())
	allow(role, []string{"sqs:SendMessage"}, letters.QueueArn())
	awsscheduler.NewCfnSchedule(e.Construct, &id, &awsscheduler.CfnScheduleProps{
		ScheduleExpression: &expression,
		FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn: function.FunctionArn(), RoleArn: role.RoleArn(), Input: &request,
			DeadLetterConfig: &awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: letters.QueueArn()},
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumRetryAttempts: jsii.Number(scheduleRetries), MaximumEventAgeInSeconds: jsii.Number(scheduleAgeSeconds),
			},
		},
	})
}

// eventOf is the input of a rule's target. As text it would arrive as a JSON string.
func eventOf(request string) awsevents.RuleTargetInput {
	var object map[string]any
	if err := json.Unmarshal([]byte(request), &object); err != nil {
		panic("a request that was checked is not JSON: " + err.Error())
	}
	return awsevents.RuleTargetInput_FromObject(object)
}

// timerDeadLetters holds scheduled invocations that could not be started. No function
// reads it; it is small, and encrypted by SQS whatever encrypts the packs.
func (e *BatchExporter) timerDeadLetters() awssqs.Queue {
	if e.timerDL == nil {
		e.timerDL = awssqs.NewQueue(e.Construct, jsii.String("TimerDeadLetters"), &awssqs.QueueProps{
			QueueName: e.name("-timer-dlq"), EnforceSSL: jsii.Bool(e.props.Queue.TLSOnly == on),
			Encryption: awssqs.QueueEncryption_SQS_MANAGED, RetentionPeriod: seconds(maxRetention),
		})
		skip(e.timerDL, "AwsSolutions-SQS3", "This is a dead-letter queue.")
		if e.props.Queue.TLSOnly == off {
			skip(e.timerDL, "AwsSolutions-SQS4", "Queue.TLSOnly is off: an emulator's endpoint is plain HTTP on loopback.")
		}
	}
	return e.timerDL
}
