package millrace

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/millrace-dev/millrace/infra/upgrade"
)

// Keys of the stack's outputs. `millrace status --stack S` and its sisters read them.
const (
	OutputURL           = "ApiUrl"
	OutputQueueURL      = "QueueUrl"
	OutputDeadLetterURL = "DeadLetterQueueUrl"
	OutputIngest        = "IngestFunction"
	OutputFlush         = "FlushFunction"
	OutputReplay        = "ReplayFunction"
	OutputTable         = "DedupTable"
	OutputBucket        = "LargePacksBucket"
	OutputDomainTarget  = "DomainTarget"
	OutputMajorVersion  = upgrade.OutputMajor
)

// addOutputs publishes what people and the CLI need.
func (e *BatchExporter) addOutputs() {
	e.output(OutputURL, e.URL, "Where SDKs send events")
	e.output(OutputQueueURL, e.Queue.QueueUrl(), "Packs on their way to the sinks")
	e.output(OutputDeadLetterURL, e.DeadLetters.QueueUrl(), "What a sink did not take")
	e.output(OutputIngest, e.Ingest.FunctionName(), "Takes events of SDKs")
	e.output(OutputFlush, e.Flush.FunctionName(), "Delivers events to sinks")
	e.output(OutputReplay, e.Replay.FunctionName(), "Sends dead letters again")
	e.output(OutputMajorVersion, jsii.String(strconv.Itoa(upgrade.Major)), "Major version of the deployed stack")
	if e.Table != nil {
		e.output(OutputTable, e.Table.TableName(), "What flushes have delivered")
	}
	if e.Bucket != nil {
		e.output(OutputBucket, e.Bucket.BucketName(), "Events of packs that do not fit a message")
	}
	if e.api.target != nil {
		e.output(OutputDomainTarget, e.api.target, "What the DNS record of the API's domain points at")
	}
}

func (e *BatchExporter) output(key string, value *string, says string) {
	awscdk.NewCfnOutput(e.stack, &key, &awscdk.CfnOutputProps{Value: value, Description: &says})
}
