package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// letterBucket is the bucket with the events of large letters. It is looked for when the first letter needs it: nearly none does.
type letterBucket struct {
	flags dlqFlags
	found *claimcheck.Bucket
}

var _ queue.Bucket = (*letterBucket)(nil)

// Get returns an object of up to maxBytes; see claimcheck.Bucket.
func (b *letterBucket) Get(ctx context.Context, key string, maxBytes int) ([]byte, error) {
	if err := b.find(ctx); err != nil {
		return nil, err
	}
	return b.found.Get(ctx, key, maxBytes)
}

// Put stores an object; see claimcheck.Bucket.
func (b *letterBucket) Put(ctx context.Context, key string, body []byte) error {
	if err := b.find(ctx); err != nil {
		return err
	}
	return b.found.Put(ctx, key, body)
}

func (b *letterBucket) find(ctx context.Context) error {
	if b.found != nil {
		return nil
	}
	cfg, err := b.flags.config(ctx)
	if err != nil {
		return err
	}
	name := b.flags.Bucket
	switch {
	case name != "":
	case b.flags.Stack == "":
		name = devstack.ClaimBucket
	default:
		if name, err = bucketOf(ctx, &cfg, b.flags.named(devstack.FunctionName(devstack.Replay))); err != nil {
			return err
		}
	}
	b.found = claimcheck.New(cfg, name)
	return nil
}

// bucketOf asks a deployed function which bucket it uses.
func bucketOf(ctx context.Context, cfg *aws.Config, function string) (string, error) {
	out, err := lambda.NewFromConfig(*cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		return "", fmt.Errorf("find the bucket of %s (--bucket names it, too): %w", function, err)
	}
	if out.Environment == nil {
		return "", nil
	}
	return out.Environment.Variables[config.EnvBucket], nil
}

// getter is a bucket that can be read; *letterBucket is one.
type getter interface {
	Get(ctx context.Context, key string, maxBytes int) ([]byte, error)
}

// fetch gets the events of a letter that are in the bucket. It leaves a letter alone whose events are not there: that is its story.
func fetch(ctx context.Context, bucket getter, l *letter) error {
	if !l.claims() {
		return nil
	}
	events, err := bucket.Get(ctx, l.header.Claim, l.header.Bytes)
	if err == nil {
		_, err = batch.DecodeEvents(&l.header, events)
	}
	switch {
	case err == nil:
		l.message.Events = events
	case !errors.Is(err, batch.ErrCorrupt):
		return fmt.Errorf("events of letter %s: %w", l.id(), err)
	}
	return nil
}

// claims reports whether the letter's events are in the bucket and not fetched yet.
func (l *letter) claims() bool {
	return l.trouble == nil && l.header.Claim != "" && l.message.Events == nil
}
