package millrace

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// sickPeriods is how many periods in a row a sink must fail before it is an alarm: a
// restart of the sink is none.
const sickPeriods = 3

// alarm is one alarm: metric at or above threshold, for so many periods.
type alarm struct {
	id        string
	runbook   string
	says      string
	metric    awscloudwatch.IMetric
	threshold float64
	periods   float64
}

// addAlarms makes the alarms. Each says what to read.
func (e *BatchExporter) addAlarms() {
	alarms := []alarm{
		{"dead-letters", "dead-letters", "Dead letters are waiting", e.DeadLetters.MetricApproximateNumberOfMessagesVisible(maximum()), 1, 1},
		{"oldest-age", "oldest-age", "Packs wait too long", e.Queue.MetricApproximateAgeOfOldestMessage(maximum()), e.props.Alarms.OldestAge.Seconds(), 1},
		{"flush-errors", "flush-errors", "Flush fails", e.Flush.MetricErrors(sum()), 1, 1},
		{"ingest-5xx", "ingest-5xx", "Ingest answers 5xx", e.api.metric(e.api.server5), 1, 1},
		{"throttles-ingest", "throttles", "Ingest is throttled", e.Ingest.MetricThrottles(sum()), 1, sickPeriods},
		{"throttles-flush", "throttles", "Flush is throttled", e.Flush.MetricThrottles(sum()), 1, sickPeriods},
		{"replay-failed", "replay-failed", "A replay failed", e.Replay.MetricErrors(sum()), 1, 1},
	}
	if percent := e.props.Alarms.ClientErrorPercent; percent > 0 {
		alarms = append(alarms, alarm{"ingest-4xx", "ingest-4xx", "Ingest refuses many requests", e.refusedPercent(), float64(percent), sickPeriods})
	}
	alarms = append(alarms, e.tableAlarms()...)
	for _, name := range slices.Sorted(maps.Keys(e.config.Sinks)) {
		alarms = append(alarms, e.sinkAlarms(name)...)
	}
	for i := range alarms {
		e.alarm(&alarms[i])
	}
}

// sinkAlarms tell that a sink has not taken events for a while, and that only a person can
// help.
func (e *BatchExporter) sinkAlarms(name string) []alarm {
	failing := ledger.Deferred
	if e.config.Sinks[name].Mode == "fail_open" {
		failing = ledger.Dropped // a best-effort sink never hands anything back
	}
	setup := map[string]*string{"sink": &name, "class": jsii.String(string(retry.Setup))}
	return []alarm{
		{"sink-failing-" + name, "sink-failing", "Sink " + name + " fails", counter(failing, map[string]*string{"sink": &name}), 1, sickPeriods},
		{"sink-setup-" + name, "sink-setup", "Sink " + name + " refuses the credentials or the configuration", counter(failing, setup), 1, 1},
	}
}

func (e *BatchExporter) alarm(a *alarm) {
	made := awscloudwatch.NewAlarm(e.Construct, jsii.String("Alarm-"+a.id), &awscloudwatch.AlarmProps{
		AlarmName:        e.name("-" + a.id),
		AlarmDescription: jsii.String(a.says + ". What to do: " + e.props.Alarms.RunbookURL + a.runbook + ".md"),
		Metric:           a.metric, Threshold: &a.threshold, EvaluationPeriods: &a.periods,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING, // no events is no trouble
	})
	if arn := e.props.Alarms.TopicARN; arn != "" {
		topic := e.Node().TryFindChild(jsii.String("AlarmTopic"))
		if topic == nil {
			topic = awssns.Topic_FromTopicArn(e.Construct, jsii.String("AlarmTopic"), &arn)
		}
		made.AddAlarmAction(awscloudwatchactions.NewSnsAction(topic.(awssns.ITopic))) //nolint:forcetypeassert // made just above
	}
}
