// Command ingest is the Lambda function behind API Gateway: it takes the events of SDKs
// and puts them on the queue. See pkg/ingest.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/ingest"
	"github.com/millrace-dev/millrace/pkg/ingest/lambdahttp"
	"github.com/millrace-dev/millrace/pkg/ledger"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/receiver"
	"github.com/millrace-dev/millrace/pkg/receiver/generic"
	"github.com/millrace-dev/millrace/pkg/receiver/posthog"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func main() {
	logger := telemetry.Logger(os.Stdout)
	handler, err := build(context.Background(), logger)
	if err != nil {
		logger.Error("ingest cannot start", "cause", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func build(ctx context.Context, logger *slog.Logger) (*lambdahttp.Handler, error) {
	runtime, err := config.LoadRuntime()
	if err != nil {
		return nil, err
	}
	aws, err := awsconn.Load(ctx)
	if err != nil {
		return nil, err
	}
	client, bucket, books := queue.NewClient(aws), claimcheck.New(aws, runtime.Bucket), ledger.New()
	handler, err := ingest.New(ingest.Options{
		Keys:          runtime.Config.Keys,
		Processors:    runtime.Config.Processors,
		Receivers:     []receiver.Receiver{generic.New(), posthog.New()},
		Queue:         queue.New(client, runtime.QueueURL).WithBucket(bucket),
		DeadLetters:   queue.New(client, runtime.DeadLetterURL).WithBucket(bucket),
		MaxEventBytes: bucket.MaxEventBytes(),
		Ledger:        books,
		Accepted:      telemetry.AcceptedLog(runtime.Audit),
		Logger:        logger,
	})
	if err != nil {
		return nil, err
	}
	return &lambdahttp.Handler{HTTP: handler, Report: telemetry.Reporter(os.Stdout, books)}, nil
}
