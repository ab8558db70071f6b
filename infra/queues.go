package millrace

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// keyReuse is how long SQS uses one data key: fewer calls of KMS, which are paid for.
const keyReuse = time.Hour

// addQueues makes the main queue and the dead letters. Packs carry their tenant as
// MessageGroupId, which makes a standard queue fair; nothing has to be set for it here.
func (e *BatchExporter) addQueues() {
	if arn := e.props.Queue.KeyARN; arn != "" {
		e.key = awskms.Key_FromKeyArn(e.Construct, jsii.String("Key"), &arn)
	}
	letters := e.queueProps("-dlq", e.props.Queue.DeadLetterRetention)
	e.DeadLetters = awssqs.NewQueue(e.Construct, jsii.String("DeadLetters"), letters)
	packs := e.queueProps("", e.props.Queue.Retention)
	packs.VisibilityTimeout = seconds(e.props.Queue.Visibility)
	packs.DeadLetterQueue = &awssqs.DeadLetterQueue{Queue: e.DeadLetters, MaxReceiveCount: jsii.Number(float64(e.props.Queue.MaxReceives))}
	e.Queue = awssqs.NewQueue(e.Construct, jsii.String("Queue"), packs)

	// By name: the queues cannot refer to each other.
	source := e.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("sqs"), Resource: e.name("")})
	letterQueue, ok := e.DeadLetters.Node().DefaultChild().(awssqs.CfnQueue)
	if ok {
		letterQueue.SetRedriveAllowPolicy(map[string]any{"redrivePermission": "byQueue", "sourceQueueArns": []*string{source}})
	}
	skip(e.DeadLetters, "AwsSolutions-SQS3", "This is the dead-letter queue.")
	if e.props.Queue.TLSOnly == off {
		skip(e.Queue, "AwsSolutions-SQS4", "Queue.TLSOnly is off: an emulator's endpoint is plain HTTP on loopback.")
		skip(e.DeadLetters, "AwsSolutions-SQS4", "Queue.TLSOnly is off: an emulator's endpoint is plain HTTP on loopback.")
	}
}

func (e *BatchExporter) queueProps(suffix string, retention time.Duration) *awssqs.QueueProps {
	props := &awssqs.QueueProps{
		QueueName:       e.name(suffix),
		EnforceSSL:      jsii.Bool(e.props.Queue.TLSOnly == on),
		RetentionPeriod: seconds(retention),
		RemovalPolicy:   e.removal(),
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
	}
	if e.key != nil {
		props.Encryption = awssqs.QueueEncryption_KMS
		props.EncryptionMasterKey = e.key
		props.DataKeyReuse = seconds(keyReuse)
	}
	return props
}

func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
