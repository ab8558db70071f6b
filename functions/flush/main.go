// Command flush is the Lambda function that delivers what is on the queue to the sinks. See pkg/flush.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/flush"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/secrets"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func main() {
	logger := telemetry.Logger(os.Stdout)
	handler, err := build(context.Background(), logger)
	if err != nil {
		logger.Error("flush cannot start", "cause", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func build(ctx context.Context, logger *slog.Logger) (*flush.Handler, error) {
	runtime, err := config.LoadRuntime()
	if err != nil {
		return nil, err
	}
	aws, err := awsconn.Load(ctx)
	if err != nil {
		return nil, err
	}
	if err := runtime.Config.Resolve(ctx, secrets.New(aws)); err != nil {
		return nil, err
	}
	memory, err := flush.NewDedup(runtime.Config, aws, runtime.Table)
	if err != nil {
		return nil, err
	}
	client, bucket, books := queue.NewClient(aws), claimcheck.New(aws, runtime.Bucket), ledger.New()
	source, letters := queue.New(client, runtime.QueueURL).WithBucket(bucket), queue.New(client, runtime.DeadLetterURL).WithBucket(bucket)
	options, err := flush.FromConfig(runtime.Config, flush.Options{
		Queue: source, DeadLetters: letters, Bucket: bucket, Dedup: memory, Ledger: books, Ended: telemetry.EndedLog(runtime.Audit), Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	flusher, err := flush.New(options)
	if err != nil {
		return nil, err
	}
	return &flush.Handler{Flusher: flusher, Source: source, Report: telemetry.Reporter(os.Stdout, books)}, nil
}
