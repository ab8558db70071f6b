package awsconn

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// Load reads the AWS configuration of the environment: region, credentials and, for the
// embedded AWS and LocalStack, AWS_ENDPOINT_URL. Options come last and win. Its HTTP client keeps
// connections, and is for all clients that are made of it. Load it once, at the start: it reads files.
// Nothing is remembered of a failure.
func Load(ctx context.Context, options ...func(*config.LoadOptions) error) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("aws configuration: %w", err)
	}
	cfg.HTTPClient = KeepConnections(cfg.HTTPClient)
	return cfg, nil
}
