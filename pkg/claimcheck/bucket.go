package claimcheck

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// ErrNoBucket means that an event needs a bucket and none is configured.
var ErrNoBucket = errors.New("no bucket is configured for events that are too large for a message")

// Bucket is where packs are checked in. The nil Bucket is none: it refuses everything with
// ErrNoBucket. A Bucket is safe for concurrent use.
type Bucket struct {
	name string
	cfg  aws.Config
}

// New returns the bucket of that name, with an AWS configuration; nil of the empty name.
func New(cfg aws.Config, name string) *Bucket {
	if name == "" {
		return nil
	}
	cfg.HTTPClient = awsconn.KeepConnections(cfg.HTTPClient)
	return &Bucket{name: name, cfg: cfg}
}

// MaxEventBytes is the size of the largest event that can be taken with this bucket.
func (b *Bucket) MaxEventBytes() int {
	if b == nil {
		return batch.MaxEventBytes
	}
	return batch.MaxLargeEventBytes
}

// Put stores an object, over any that is there. A nil error means that it is durable.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) error {
	_, err := b.call(ctx, call{method: http.MethodPut, key: key, body: body})
	return err
}

// Get returns an object of up to maxBytes.
//
// Errors: batch.ErrCorrupt when there is no such object or it is larger, which no repeat
// changes. All others are trouble with S3, with its permissions or with ctx.
func (b *Bucket) Get(ctx context.Context, key string, maxBytes int) ([]byte, error) {
	return b.call(ctx, call{method: http.MethodGet, key: key, maxBytes: maxBytes})
}

// callTimeout bounds one try. The largest object needs a hundredth of it within a region.
const callTimeout = 4 * time.Second

// policy is like the standard mode of the SDKs, which pkg/queue has too: three tries.
func policy() retry.Policy {
	return retry.Policy{MaxAttempts: 3, InitialDelay: 100 * time.Millisecond, MaxDelay: time.Second, MaxInlineWait: 2 * time.Second}
}

func (b *Bucket) call(ctx context.Context, c call) (body []byte, err error) {
	if b == nil {
		return nil, ErrNoBucket
	}
	c.bucket, c.cfg = b.name, &b.cfg
	err = retry.Do(ctx, policy(), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		body, err = c.do(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("s3 %s %s of %s: %w", c.method, c.key, c.bucket, err)
	}
	return body, nil
}
