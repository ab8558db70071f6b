package lambda_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"encoding/base64"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// newClient returns an unmodified SDK client for a host.
func newClient(t *testing.T, host *lambda.Host) *sdk.Client {
	t.Helper()
	server := httptest.NewServer(host.Handler())
	t.Cleanup(server.Close)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1, HTTPClient: server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

func TestHost_SDK_InvokeWithLogTail(t *testing.T) {
	t.Parallel()
	client := newClient(t, newHost(t, lambda.Options{}, function("f", "plain")))
	out, err := client.Invoke(context.Background(), &sdk.InvokeInput{
		FunctionName: aws.String("arn:aws:lambda:us-east-1:000000000000:function:f"), LogType: types.LogTypeTail,
		Payload: marshal(t, command{Do: "log", Text: "seen in the tail"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	tail, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil || !strings.Contains(string(tail), "seen in the tail\n") {
		t.Errorf("tail = %q, %v", tail, err)
	}
	if string(out.Payload) != `"logged"` || out.StatusCode != 200 || aws.ToString(out.ExecutedVersion) != "$LATEST" || out.FunctionError != nil {
		t.Errorf("got %q, status %d, version %q, error %v", out.Payload, out.StatusCode, aws.ToString(out.ExecutedVersion), out.FunctionError)
	}
}

func TestHost_SDK_CrashedFunctionHasALogTailToo(t *testing.T) {
	t.Parallel()
	client := newClient(t, newHost(t, lambda.Options{}, function("f", "plain")))
	out, err := client.Invoke(context.Background(), &sdk.InvokeInput{
		FunctionName: aws.String("f"), LogType: types.LogTypeTail, Payload: marshal(t, command{Do: "crash"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	tail, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(tail), "Runtime.ExitError") {
		t.Errorf("error %q, tail %q", aws.ToString(out.FunctionError), tail)
	}
}

func TestHost_SDK_EventRunsInTheBackground(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	client := newClient(t, newHost(t, lambda.Options{}, function("f", "plain")))
	out, err := client.Invoke(context.Background(), &sdk.InvokeInput{
		FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent,
		Payload: marshal(t, command{Do: "visit", Address: listener.Addr().String()}),
	})
	if err != nil || out.StatusCode != 202 {
		t.Fatalf("got %+v, %v; want 202", out, err)
	}
	awaitDeath(accept(t, listener))
}

func TestHost_SDK_RefusesWhatIsNotEmulated(t *testing.T) {
	t.Parallel()
	host := newHost(t, lambda.Options{}, function("f", "plain"))
	client := newClient(t, host)
	for name, input := range map[string]*sdk.InvokeInput{
		"a dry run":        {FunctionName: aws.String("f"), InvocationType: types.InvocationTypeDryRun},
		"a client context": {FunctionName: aws.String("f"), ClientContext: aws.String("e30=")},
	} {
		if _, err := client.Invoke(context.Background(), input); err == nil || !strings.Contains(err.Error(), "not emulated") || len(host.PIDs("f")) > 0 {
			t.Errorf("%s: got %v, processes %v; want a refusal and none", name, err, host.PIDs("f"))
		}
	}
}

func TestHost_SDK_TypedErrors(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	f := function("f", "plain")
	f.MaxConcurrency = 1
	host := newHost(t, lambda.Options{}, f)
	client := newClient(t, host)
	call := func(name string, payload []byte) error {
		_, err := client.Invoke(context.Background(), &sdk.InvokeInput{FunctionName: aws.String(name), Payload: payload})
		return err
	}
	var missing *types.ResourceNotFoundException
	if err := call("nobody", nil); !errors.As(err, &missing) || !strings.Contains(missing.ErrorMessage(), ":function:nobody") {
		t.Errorf("unknown function: %v", err)
	}
	for _, name := range []string{"f:1", "arn:aws:lambda:us-east-1:000000000000:function:f:1", "arn:aws:lambda:us-east-1:000000000001:function:f"} {
		if err := call(name, nil); !errors.As(err, &missing) {
			t.Errorf("unknown version or account %s: %v", name, err)
		}
	}
	var content *types.InvalidRequestContentException
	if err := call("f", []byte(`{"a":`)); !errors.As(err, &content) {
		t.Errorf("broken JSON: %v", err)
	}
	var large *types.RequestTooLargeException
	if err := call("f", []byte(`"`+strings.Repeat("x", lambda.MaxPayloadBytes)+`"`)); !errors.As(err, &large) {
		t.Errorf("too large: %v", err)
	}
	var parameter *types.InvalidParameterValueException
	if _, err := client.Invoke(context.Background(), &sdk.InvokeInput{FunctionName: aws.String("f"), InvocationType: "Sometimes"}); !errors.As(err, &parameter) {
		t.Errorf("invocation type: %v", err)
	}
	done := make(chan lambda.Result, 1)
	go func() { done <- invoke(t, host, "f", command{Do: "wait", Address: listener.Addr().String()}) }()
	connection := accept(t, listener)
	var busy *types.TooManyRequestsException
	if err := call("f", nil); !errors.As(err, &busy) || busy.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("throttled: %v", err)
	}
	_ = connection.Close()
	<-done
}

func TestHost_SDK_GetFunctionConfiguration(t *testing.T) {
	t.Parallel()
	f := function("f", "plain")
	f.MemoryMB = 512
	host := newHost(t, lambda.Options{}, f)
	client := newClient(t, host)
	out, err := client.GetFunctionConfiguration(context.Background(), &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f"), Qualifier: aws.String("$LATEST")})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{aws.ToString(out.FunctionArn), aws.ToInt32(out.MemorySize), aws.ToInt32(out.Timeout), out.State, out.Runtime, out.Environment.Variables}
	want := []any{host.ARN("f"), int32(512), int32(60), types.StateActive, types.RuntimeProvidedal2023, f.Environment}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	var missing *types.ResourceNotFoundException
	if _, err := client.GetFunctionConfiguration(context.Background(), &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("g")}); !errors.As(err, &missing) {
		t.Errorf("unknown function: %v", err)
	}
}

func TestHost_Handler_NamesWhatIsEmulated(t *testing.T) {
	t.Parallel()
	host := newHost(t, lambda.Options{}, function("f", "plain"))
	recorder := httptest.NewRecorder()
	host.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/2015-03-31/functions", http.NoBody))
	if recorder.Code != 404 || recorder.Header().Get("X-Amzn-ErrorType") != "UnknownOperationException" || !strings.Contains(recorder.Body.String(), "GetFunctionConfiguration are") {
		t.Errorf("got %d %v %s", recorder.Code, recorder.Header(), recorder.Body)
	}
}

func TestHost_Invoker(t *testing.T) {
	t.Parallel()
	host := newHost(t, lambda.Options{}, function("a", "plain"))
	invoke, err := host.Invoker("a")
	if err != nil {
		t.Fatal(err)
	}
	result, err := invoke(context.Background(), []byte(`{"do":"echo","text":"x"}`))
	if err != nil || string(result.Payload) != `{"do":"echo","text":"x"}` {
		t.Errorf("got %s, %v", result.Payload, err)
	}
	if _, err := host.Invoker("b"); err == nil || !strings.Contains(err.Error(), "function:b") {
		t.Errorf("a function that is not there: %v, want its name", err)
	}
}
