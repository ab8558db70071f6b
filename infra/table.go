package millrace

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// What pkg/dedup/dynamo wants of its table. A test compares them with its constants: to
// import them would bring the SDK of DynamoDB into this module.
const (
	tableKey = "k"
	tableTTL = "ttl"
)

// addTable makes the table in which flushes tell each other what was delivered. It holds
// hashes and the states of sinks, no events, so the key that DynamoDB owns, which is free,
// encrypts it whatever encrypts the queues.
func (e *BatchExporter) addTable() {
	if e.props.Store.Table == off {
		return
	}
	e.Table = awsdynamodb.NewTable(e.Construct, jsii.String("Dedup"), &awsdynamodb.TableProps{
		TableName:           e.name("-dedup"),
		PartitionKey:        &awsdynamodb.Attribute{Name: jsii.String(tableKey), Type: awsdynamodb.AttributeType_BINARY},
		TimeToLiveAttribute: jsii.String(tableTTL),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true), RecoveryPeriodInDays: jsii.Number(1), // what is older is forgotten anyway
		},
		RemovalPolicy: e.removal(),
	})
}

// tableName is what functions know the table by, "" when there is none.
func (e *BatchExporter) tableName() *string {
	if e.Table == nil {
		return jsii.String("")
	}
	return e.Table.TableName()
}

// tableAlarms tell that DynamoDB refused writes or reads, so that events may be delivered twice
// or, with dedup.on_store_failure closed, late. On demand it does so when the traffic more than
// doubles within half an hour. They are two alarms, because one over the sum costs as much as both
// (CloudWatch bills the metrics of an alarm) and cannot run on MiniStack.
func (e *BatchExporter) tableAlarms() []alarm {
	if e.Table == nil {
		return nil
	}
	writes, reads := e.Table.Metric(jsii.String("WriteThrottleEvents"), sum()), e.Table.Metric(jsii.String("ReadThrottleEvents"), sum())
	return []alarm{
		{"throttles-table", "throttles-table", "Writes to the dedup table are throttled", writes, 1, sickPeriods},
		{"throttles-table-reads", "throttles-table", "Reads of the dedup table are throttled", reads, 1, sickPeriods},
	}
}

// tableWrites is how many write units the table was charged for.
func (e *BatchExporter) tableWrites() awscloudwatch.IMetric {
	return e.Table.MetricConsumedWriteCapacityUnits(sum())
}
