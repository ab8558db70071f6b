// Package self lets the replay function invoke itself, to go on after its deadline.
//
// It is apart from pkg/replay because it alone links the SDK of Lambda, which nobody
// else who imports a replay's request and report should carry.
package self

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/millrace-dev/millrace/pkg/replay"
)

// Function is the function whose invocation is being served. It is safe for concurrent use.
type Function struct {
	// AWS is the configuration of the function's environment. Required.
	AWS aws.Config
}

var _ replay.Self = Function{}

// Invoke starts another invocation of the function, under the name and alias by which
// this one was invoked, and does not wait for it. It returns when Lambda has taken the
// payload, of at most 1 MB; from then on Lambda itself tries it up to three times.
// The function needs the right lambda:InvokeFunction on itself.
//
// The client is built per call: there is at most one call in an invocation of minutes,
// and cold starts should not pay for it.
func (f Function) Invoke(ctx context.Context, payload []byte) error {
	invocation, ok := lambdacontext.FromContext(ctx)
	if !ok || invocation.InvokedFunctionArn == "" {
		return errors.New("invoke itself: this is no invocation of a Lambda function")
	}
	_, err := lambda.NewFromConfig(f.AWS).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &invocation.InvokedFunctionArn, InvocationType: types.InvocationTypeEvent, Payload: payload,
	})
	if err != nil {
		return fmt.Errorf("invoke itself: %w", err)
	}
	return nil
}
