package queue

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// NewClient builds the SDK's SQS client. The SDK retries each call up to three times in all
// (standard mode) unless the environment says otherwise; callers do not. The options come
// last and win.
func NewClient(cfg aws.Config, options ...func(*sqs.Options)) *sqs.Client {
	return sqs.NewFromConfig(cfg, options...)
}
