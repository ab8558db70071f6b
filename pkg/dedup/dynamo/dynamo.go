package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/millrace-dev/millrace/pkg/dedup"
)

// Client is what a Store needs of the SDK; *dynamodb.Client has it.
type Client interface {
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
}

var _ Client = (*dynamodb.Client)(nil)

// longestBackoff is what the SDK waits between two tries at most. Its own 20 s would outlast
// a flush's patience: a table that throttles would be taken for one that is away.
const longestBackoff = 500 * time.Millisecond

// NewClient builds the SDK's DynamoDB client. It tries three times, within
// dedup.DefaultPatience.
func NewClient(cfg aws.Config, options ...func(*dynamodb.Options)) *dynamodb.Client {
	brisk := func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) { so.MaxBackoff = longestBackoff })
	}
	return dynamodb.NewFromConfig(cfg, append([]func(*dynamodb.Options){brisk}, options...)...)
}

// Store is a dedup.Store in one table. It is safe for concurrent use.
type Store struct {
	client Client
	table  string
	now    func() time.Time
}

var _ dedup.Store = (*Store)(nil)

// Options say where a store is.
type Options struct {
	// Client is required.
	Client Client
	// Table is the name of the table. Required.
	Table string
	// Now is the clock that leases and windows are written and read with; nil means time.Now.
	Now func() time.Time
}

// New returns the store in a table, which it does not touch yet.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{client: o.Client, table: o.Table, now: o.Now}
}

// Settle implements dedup.Store with one write.
func (s *Store) Settle(ctx context.Context, t dedup.Ticket, settlement dedup.Settlement) error {
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: newSettlement(t, settlement, s.now()),
	})
	if err != nil {
		return s.explain("settle in", err)
	}
	return nil
}

// explain names the table, and tells back-pressure from all other trouble.
func (s *Store) explain(operation string, err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch api.ErrorCode() {
		// Source: DynamoDB Developer Guide, "Error handling", the codes to retry with backoff.
		case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
			return fmt.Errorf("%s %s: %w: %w", operation, s.table, dedup.ErrBusy, err)
		case "ResourceNotFoundException":
			return fmt.Errorf("%s %s: the table does not exist here: %w", operation, s.table, err)
		}
	}
	return fmt.Errorf("%s %s: %w", operation, s.table, err)
}

// notThere is the condition of a first claim: nothing is there, or what is there is over.
const notThere = "attribute_not_exists(" + KeyAttribute + ") OR " + attributeExpiry + " <= :now"

// heldBy is the condition of a take-over.
const heldBy = attributeHolder + " = :holder"

func ptr(s string) *string { return aws.String(s) }
