package localaws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	sdklambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/localaws/account"
	"github.com/millrace-dev/millrace/internal/localaws/apigateway"
	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/scheduler"
)

const roleVariable = "MILLRACE_TEST_ROLE"

// TestMain runs the tests, or a function when the tests started this binary as one.
func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "ingest":
		runtime.Start(ingest)
	case "flush":
		runtime.Start(flush)
	case "tick":
		runtime.Start(tick)
	case "accept":
		runtime.Start(func() (map[string]any, error) { return map[string]any{"statusCode": 202, "body": "{}"}, nil })
	}
}

// ingest puts the body of a request on the queue, through an SDK that knows nothing but its environment.
func ingest(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	out, err := sqs.NewFromConfig(loaded).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(os.Getenv("QUEUE_URL")), MessageBody: &event.Body})
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return events.APIGatewayV2HTTPResponse{StatusCode: 202, Body: aws.ToString(out.MessageId)}, nil
}

// flush reports each body to the test and fails those that say "poison".
func flush(event events.SQSEvent) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, record := range event.Records {
		if strings.Contains(record.Body, "poison") {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
			continue
		}
		if err := report(record.Body); err != nil {
			return response, err
		}
	}
	return response, nil
}

func tick(event map[string]string) error { return report(event["say"]) }

func report(text string) error {
	connection, err := net.Dial("tcp", os.Getenv("REPORT_TO"))
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	_, err = io.WriteString(connection, text)
	return err
}

func function(t *testing.T, role string) lambda.Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return lambda.Function{Name: role, Bootstrap: self, Timeout: time.Minute, Environment: map[string]string{roleVariable: role}}
}

// sink collects what functions report.
func sink(t *testing.T) (address string, next func() string) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String(), func() string {
		connection, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = connection.Close() }()
		text, err := io.ReadAll(connection)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func start(t *testing.T, options localaws.Options) *localaws.Server {
	t.Helper()
	server, err := localaws.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := server.Close(context.Background()); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
	return server
}

// client is an SDK configuration for a server, as a user's environment would give it.
func client(t *testing.T, server *localaws.Server) aws.Config {
	t.Helper()
	httpClient := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(httpClient.CloseIdleConnections)
	return aws.Config{
		Region: account.Region, BaseEndpoint: aws.String(server.AWSURL()), HTTPClient: httpClient,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

func TestServer_EventTravelsFromHTTPToTheSinkOrTheDeadLetters(t *testing.T) {
	t.Parallel()
	address, next := sink(t)
	server := start(t, localaws.Options{
		Queues: []localaws.Queue{
			{Name: "dead"},
			{Name: "main", Attributes: map[string]string{"VisibilityTimeout": "1", "RedrivePolicy": localaws.RedrivePolicy("dead", 2)}},
		},
		Functions: []lambda.Function{function(t, "ingest"), function(t, "flush")},
		Mappings:  []esm.Options{{Function: "flush", Queue: "main", ReportBatchItemFailures: true}},
		FrontDoor: "ingest",
		Environment: func(awsURL string) map[string]string {
			return map[string]string{"QUEUE_URL": localaws.QueueURL(awsURL, "main"), "REPORT_TO": address, "AWS_EC2_METADATA_DISABLED": "true"}
		},
	})
	post := func(body string) {
		t.Helper()
		response, err := http.Post(server.APIURL()+"/v1/ingest", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if answer, _ := io.ReadAll(response.Body); response.StatusCode != 202 {
			t.Fatalf("got %d %s, want 202", response.StatusCode, answer)
		}
	}
	post(`{"event":"good"}`)
	if got := next(); got != `{"event":"good"}` {
		t.Errorf("the sink got %q", got)
	}
	post(`{"event":"poison"}`)
	out, err := sqs.NewFromConfig(client(t, server)).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(localaws.QueueURL(server.AWSURL(), "dead")), WaitTimeSeconds: 20})
	if err != nil || len(out.Messages) != 1 || aws.ToString(out.Messages[0].Body) != `{"event":"poison"}` {
		t.Errorf("dead letters: %+v, %v; want the poison", out, err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestServer_SDKInvokesAFunction(t *testing.T) {
	t.Parallel()
	address, next := sink(t)
	f := function(t, "tick")
	f.Environment["REPORT_TO"] = address
	server := start(t, localaws.Options{Functions: []lambda.Function{f}})
	done := make(chan error, 1)
	go func() {
		_, err := sdklambda.NewFromConfig(client(t, server)).Invoke(t.Context(), &sdklambda.InvokeInput{FunctionName: aws.String("tick"), Payload: []byte(`{"say":"hi"}`)})
		done <- err
	}()
	if got := next(); got != "hi" {
		t.Errorf("reported %q, want hi", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if server.APIURL() != "" || len(server.Lambda().PIDs("tick")) != 1 {
		t.Errorf("API URL %q, processes %v", server.APIURL(), server.Lambda().PIDs("tick"))
	}
}

func TestServer_ScheduleInvokesAFunction(t *testing.T) {
	t.Parallel()
	address, next := sink(t)
	f := function(t, "tick")
	f.Environment["REPORT_TO"] = address
	start(t, localaws.Options{
		Functions: []lambda.Function{f},
		Schedules: []scheduler.Schedule{{Name: "now", Expression: "rate(1 day)", Function: "tick", Input: []byte(`{"say":"on time"}`)}},
	})
	if got := next(); got != "on time" {
		t.Errorf("reported %q", got)
	}
}

func TestServer_InProcessClient(t *testing.T) {
	t.Parallel()
	server := start(t, localaws.Options{Queues: []localaws.Queue{{Name: "q"}}})
	configuration := client(t, server)
	configuration.HTTPClient = server.Client()
	out, err := sqs.NewFromConfig(configuration).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
	if want := localaws.QueueURL(server.AWSURL(), "q"); err != nil || aws.ToString(out.QueueUrl) != want {
		t.Errorf("got %v, %v; want %s", out, err, want)
	}
	if depth, err := server.SQS().Depth("q"); err != nil || depth.Visible != 0 {
		t.Errorf("depth %+v, %v", depth, err)
	}
}

func TestServer_RESTFrontDoorHasItsStage(t *testing.T) {
	t.Parallel()
	server := start(t, localaws.Options{
		Functions: []lambda.Function{function(t, "ingest")},
		FrontDoor: "ingest", Gateway: apigateway.Options{Shape: apigateway.ShapeREST, Stage: "live"},
	})
	if !strings.HasSuffix(server.APIURL(), "/live") || len(server.Mappings()) != 0 {
		t.Errorf("API URL = %q", server.APIURL())
	}
}

func TestStart_Refuses(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	taken := busy.Addr().String()
	ingest := function(t, "ingest")
	tests := []struct {
		name    string
		options localaws.Options
		parts   []string
	}{
		{"every interface for AWS", localaws.Options{AWSAddress: "0.0.0.0:0"}, []string{`"0.0.0.0:0" is not loopback`}},
		{"every interface for the front door", localaws.Options{APIAddress: ":80", Functions: []lambda.Function{ingest}, FrontDoor: "ingest"}, []string{`":80" is not loopback`, "use 127.0.0.1:80"}},
		{"an address that is none", localaws.Options{AWSAddress: "nonsense"}, []string{"nonsense"}},
		{"functions that nobody declares", localaws.Options{
			Queues:    []localaws.Queue{{Name: "main"}},
			Mappings:  []esm.Options{{Function: "flush", Queue: "main"}},
			Schedules: []scheduler.Schedule{{Name: "s", Function: "drain"}}, FrontDoor: "door",
		}, []string{`function:flush`, `function:drain`, `function:door`}},
		{"a mapping of no queue", localaws.Options{Functions: []lambda.Function{ingest}, Mappings: []esm.Options{{Function: "ingest", Queue: "other"}}}, []string{`no queue "other"`}},
		{"a mapping that is none", localaws.Options{
			Queues: []localaws.Queue{{Name: "main"}}, Functions: []lambda.Function{ingest},
			Mappings: []esm.Options{{Function: "ingest", Queue: "main", BatchSize: 100}},
		}, []string{"needs a batching window"}},
		{"dead letters to no queue", localaws.Options{Queues: []localaws.Queue{{Name: "main", Attributes: map[string]string{"RedrivePolicy": localaws.RedrivePolicy("dead", 1)}}}}, []string{"queue main", "Dead letter target does not exist"}},
		{"a taken port for AWS", localaws.Options{AWSAddress: taken}, []string{"address already in use"}},
		{"a taken port for the front door", localaws.Options{APIAddress: taken, Functions: []lambda.Function{ingest}, FrontDoor: "ingest"}, []string{"address already in use"}},
		{"a function without a program", localaws.Options{Functions: []lambda.Function{{Name: "f", Bootstrap: "/nowhere"}}}, []string{"no such file"}},
		{"a queue that SQS refuses", localaws.Options{Queues: []localaws.Queue{{Name: "no good"}}}, []string{"queue no good"}},
		{"a schedule that is none", localaws.Options{Functions: []lambda.Function{ingest}, Schedules: []scheduler.Schedule{{Name: "s", Expression: "daily", Function: "ingest"}}}, []string{"schedule s"}},
		{"a front door of unknown shape", localaws.Options{Functions: []lambda.Function{ingest}, FrontDoor: "ingest", Gateway: apigateway.Options{Shape: "soap"}}, []string{"soap"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, err := localaws.Start(t.Context(), test.options)
			if err == nil {
				_ = server.Close(context.Background())
				t.Fatal("Start took it")
			}
			for _, part := range test.parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not mention %q", err, part)
				}
			}
		})
	}
}

func TestServer_Router(t *testing.T) {
	t.Parallel()
	server := start(t, localaws.Options{Queues: []localaws.Queue{{Name: "q"}}, Buckets: []string{"claims"}, Pages: map[string]http.Handler{
		"/page": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") }),
	}})
	scope := func(service string) http.Header {
		return http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"}}
	}
	tests := []struct {
		name, method, path string
		header             http.Header
		status             int
		body               string // part of it
	}{
		{"a page of the owner's", "GET", "/page", nil, 200, "the page"},
		{"SQS by its target", "POST", "/", http.Header{"X-Amz-Target": {"AmazonSQS.ListQueues"}}, 200, "QueueUrls"},
		{"SQS by its scope", "POST", "/", scope("sqs"), 400, ""},
		{"Lambda by its path", "GET", "/2015-03-31/functions/f/configuration", nil, 404, "Function not found"},
		{"Lambda by its scope", "GET", "/2015-03-31/functions/f/configuration", scope("lambda"), 404, "Function not found"},
		{"another target", "POST", "/", http.Header{"X-Amz-Target": {"AWSEvents.PutEvents"}}, 404, "awsevents is not emulated"},
		{"S3 by its scope", "GET", "/claims/key", scope("s3"), 404, "<Code>NoSuchKey</Code>"},
		{"S3 presigned", "GET", "/claims/key?X-Amz-Credential=AKID%2F20261121%2Fus-east-1%2Fs3%2Faws4_request", nil, 404, "<Code>NoSuchKey</Code>"},
		{"a broken scope", "GET", "/", http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=AKID"}}, 404, "names no service"},
		{"nothing at all", "GET", "/", nil, 404, "names no service"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), test.method, server.AWSURL()+test.path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(request.Header, test.header)
			response, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.status || !strings.Contains(string(body), test.body) {
				t.Errorf("got %d %s, %v; want %d with %q", response.StatusCode, body, err, test.status, test.body)
			}
		})
	}
}

func TestServer_Close_CutsOffWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	hanging, err := net.Listen("tcp4", "127.0.0.1:0") // accepts nobody: the function's report hangs when the backlog is not read
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hanging.Close() }()
	f := function(t, "tick")
	f.Environment["REPORT_TO"] = hanging.Addr().String()
	server, err := localaws.Start(t.Context(), localaws.Options{Functions: []lambda.Function{f}})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(map[string]string{"say": strings.Repeat("x", 5<<20)}) // more than the socket buffers hold
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan string, 1)
	go func() {
		result, err := server.Lambda().Invoke(context.Background(), "tick", payload, lambda.InvokeOptions{})
		failed <- fmt.Sprint(result.FunctionError, err)
	}()
	connection, err := hanging.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := server.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close = %v, want context.Canceled", err)
	}
	if diff := cmp.Diff(lambda.Unhandled+"<nil>", <-failed); diff != "" {
		t.Errorf("the invocation (-want +got):\n%s", diff)
	}
}
