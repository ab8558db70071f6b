// Command replay is the Lambda function that sends dead letters again. It is invoked,
// never attached to a queue. See pkg/replay.
package main

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/replay"
	"github.com/millrace-dev/millrace/pkg/replay/self"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

func main() {
	logger := telemetry.Logger(os.Stdout)
	replayer, err := build(context.Background(), logger)
	if err != nil {
		logger.Error("replay cannot start", "cause", err)
		os.Exit(1)
	}
	lambda.Start(replayer)
}

func build(ctx context.Context, logger *slog.Logger) (*replay.Replayer, error) {
	runtime, err := config.LoadRuntime()
	if err != nil {
		return nil, err
	}
	aws, err := awsconn.Load(ctx)
	if err != nil {
		return nil, err
	}
	client, bucket := queue.NewClient(aws), claimcheck.New(aws, runtime.Bucket)
	return replay.New(replay.Options{
		Letters: queue.New(client, runtime.DeadLetterURL).WithBucket(bucket),
		Queue:   queue.New(client, runtime.QueueURL).WithBucket(bucket),
		Bucket:  bucket,
		Sinks:   slices.Sorted(maps.Keys(runtime.Config.Sinks)),
		Logger:  logger,
		Self:    self.Function{AWS: aws},
	})
}
