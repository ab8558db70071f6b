package queue

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// NewClient builds the SDK's SQS client from the environment: region, credentials and,
// for the embedded AWS and LocalStack, AWS_ENDPOINT_URL. The SDK retries each call up
// to three times in all (standard mode) unless the environment says otherwise; callers
// do not. The options come last and win.
func NewClient(ctx context.Context, options ...func(*sqs.Options)) (*sqs.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("aws configuration: %w", err)
	}
	cfg.HTTPClient = KeepConnections(cfg.HTTPClient)
	return sqs.NewFromConfig(cfg, options...), nil
}
