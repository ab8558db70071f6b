package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/replay"
)

// A run is a row of invocations of a few seconds, so that progress can be shown and Ctrl-C is heard between them.
const (
	watchedStep   = 2 * time.Second
	unwatchedStep = 10 * time.Second
)

// invoker is the Lambda API; *lambda.Client is one.
type invoker interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, options ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// replaySteps carries out one replay.
type replaySteps struct {
	console  *console
	client   invoker
	function string
	started  time.Time
	// expected is how many events a dry run has counted; 0 when there was none.
	expected int
}

// all goes on while the function says that there is more than it had time for. When ctx is cancelled it lets the step under
// way end. On an error the report says what was done before.
func (s *replaySteps) all(ctx context.Context, request replay.Request) (replay.Report, error) {
	request.Seconds = int(unwatchedStep.Seconds())
	if s.console.terminal {
		request.Seconds = int(watchedStep.Seconds())
	}
	shown := newProgress(s.console, s.started)
	defer shown.clear()
	limit := request.Limit
	var sum replay.Report
	for steps := 1; ; steps++ {
		report, err := s.once(ctx, request)
		if err != nil {
			sum.More = true
			return sum, err
		}
		sum.Merge(report)
		if !report.More || (limit > 0 && sum.Replayed >= limit) {
			s.hidden(sum, steps, request.HideSeconds)
			return sum, nil
		}
		shown.tell(bar(sum.Events, s.expected, time.Since(s.started)))
		if ctx.Err() != nil {
			shown.clear()
			s.console.say("stopped; the same command goes on with what is left")
			return sum, nil
		}
		request.Run, request.Started = report.Run, report.Started
		if limit > 0 {
			request.Limit = limit - sum.Replayed
		}
	}
}

// hidden warns that letters which are there are not to be seen for a while.
func (s *replaySteps) hidden(sum replay.Report, steps, seconds int) {
	if steps > 1 && len(sum.Left) > 0 {
		s.console.say("letters that stay may be hidden for up to %s more", time.Duration(seconds)*time.Second)
	}
}

// once invokes the function and waits for its report, whatever becomes of ctx: a step that is cut off goes on anyway.
func (s *replaySteps) once(ctx context.Context, request replay.Request) (replay.Report, error) {
	out, err := s.invoke(context.WithoutCancel(ctx), request, types.InvocationTypeRequestResponse)
	if err != nil {
		return replay.Report{}, err
	}
	if out.FunctionError != nil {
		return replay.Report{}, functionError(s.function, aws.ToString(out.FunctionError), out.Payload)
	}
	var report replay.Report
	if err := json.Unmarshal(out.Payload, &report); err != nil {
		return replay.Report{}, fmt.Errorf("read the report of %s: %w", s.function, err)
	}
	return report, nil
}

// detach starts a run that goes on by itself, and returns its id.
func (s *replaySteps) detach(ctx context.Context, request replay.Request) (run string, err error) {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	request.Run, request.Continue = hex.EncodeToString(id[:]), true
	_, err = s.invoke(ctx, request, types.InvocationTypeEvent)
	return request.Run, err
}

func (s *replaySteps) invoke(ctx context.Context, request replay.Request, kind types.InvocationType) (*lambda.InvokeOutput, error) {
	payload, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	out, err := s.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &s.function, Payload: payload, InvocationType: kind})
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", s.function, err)
	}
	return out, nil
}

// functionError reads Lambda's error object.
func functionError(function, kind string, payload []byte) error {
	var body struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}
	if err := json.Unmarshal(payload, &body); err != nil || body.Message == "" {
		return fmt.Errorf("%s: %s: %s", function, kind, payload)
	}
	return fmt.Errorf("%s: %s: %s", function, body.Type, body.Message)
}
