package dynamo_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

// The SDK's tries fit into the patience of a flush: a table that throttles is known as one, and not taken for one that is away, which
// a flush told to fail open would not wait for.
func TestNewClient_Throttled_IsBusyWithinPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, err := dynamodb.Open(dynamodb.Options{Faults: &dynamodb.Faults{
			Intercept: func(string, []byte) error { return dynamodb.Throttled() },
		}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		client := dynamo.NewClient(aws.Config{
			BaseEndpoint: aws.String("http://dynamodb.test"), Region: "us-east-1", HTTPClient: inprocess.Transport{Handler: service},
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		})
		store := dynamo.New(dynamo.Options{Client: client, Table: table})
		for range 50 { // the SDK draws how long it waits
			ctx, cancel := context.WithTimeout(t.Context(), dedup.DefaultPatience)
			_, err := store.Claim(ctx, storetest.Ticket(), storetest.Claims(1))
			cancel()
			if !errors.Is(err, dedup.ErrBusy) {
				t.Fatalf("Claim: %v, want %v", err, dedup.ErrBusy)
			}
		}
	})
}
