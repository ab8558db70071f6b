package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// role says what this test binary is: the tests, or, started by them, a function or a host.
const roleVariable = "MILLRACE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		goleak.VerifyTestMain(m)
	case "host":
		runHost()
	default:
		runFunction(os.Getenv(roleVariable))
	}
}

// command is the payload that the test function understands.
type command struct {
	Do      string `json:"do"`
	Bytes   int    `json:"bytes,omitempty"`
	Address string `json:"address,omitempty"`
	Text    string `json:"text,omitempty"`
}

// identity is what the test function answers to "who".
type identity struct {
	PID       int               `json:"pid"`
	RequestID string            `json:"request_id"`
	ARN       string            `json:"arn"`
	Trace     string            `json:"trace"`
	Remaining time.Duration     `json:"remaining"`
	Variables map[string]string `json:"variables"`
	Directory string            `json:"directory"`
}

// runFunction is the bootstrap: aws-lambda-go on the real contract, except where the role is about not keeping it.
func runFunction(role string) {
	if address := os.Getenv("REPORT_TO"); address != "" {
		defer hold(address)() // the connection lives as long as the process
	}
	switch role {
	case "init-error":
		url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
		resp, err := http.Post(url, "application/json", strings.NewReader(`{"errorMessage":"no config","errorType":"Config.Missing"}`))
		exit(1, resp.Status, err)
	case "init-exit":
		exit(7)
	case "sigterm":
		runtime.StartWithOptions(handle, runtime.WithEnableSIGTERM(func() { fmt.Println("terminated"); os.Exit(0) }))
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		runtime.StartWithOptions(handle, runtime.WithEnableSIGTERM())
	default:
		runtime.Start(handle)
	}
}

func exit(code int, words ...any) {
	fmt.Println(words...)
	os.Exit(code)
}

func handle(ctx context.Context, c command) (any, error) {
	switch c.Do {
	case "who":
		return whoAmI(ctx), nil
	case "log":
		fmt.Println(c.Text)
		return "logged", nil
	case "fail":
		return nil, errors.New(c.Text)
	case "panic":
		panic(c.Text)
	case "crash":
		os.Exit(3)
	case "big":
		return strings.NewReader(`"` + strings.Repeat("x", c.Bytes-2) + `"`), nil
	case "break":
		return io.MultiReader(strings.NewReader(`{"half":`), brokenReader{}), nil
	case "hang":
		defer hold(c.Address)()
		select {}
	case "visit":
		hold(c.Address)()
	case "wait": // until the test closes the connection
		connection, err := net.Dial("tcp", c.Address)
		if err != nil {
			return nil, err
		}
		_, _ = connection.Read(make([]byte, 1))
	}
	return c, nil
}

func whoAmI(ctx context.Context) identity {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	directory, _ := os.Getwd()
	id := identity{
		PID: os.Getpid(), RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Directory: directory,
		Trace: os.Getenv("_X_AMZN_TRACE_ID"), Remaining: time.Until(deadline), Variables: map[string]string{},
	}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		id.Variables[name] = value
	}
	return id
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("stream broke") }

// hold opens a connection that tells the test that we live; it closes with the process at the latest.
func hold(address string) func() {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Println("hold:", err)
		os.Exit(9)
	}
	return func() { _ = connection.Close() }
}

// runHost is a host that is going to be killed: it invokes a function that hangs.
func runHost() {
	host, err := lambda.NewHost([]lambda.Function{function("victim", "plain")}, lambda.Options{})
	if err != nil {
		panic(err)
	}
	payload, _ := json.Marshal(command{Do: "hang", Address: os.Getenv("VICTIM_REPORTS_TO")})
	_, _ = host.Invoke(context.Background(), "victim", payload, lambda.InvokeOptions{})
}

// function describes this test binary as a function in a role.
func function(name, role string) lambda.Function {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return lambda.Function{
		Name: name, Bootstrap: self, Timeout: time.Minute,
		Environment: map[string]string{roleVariable: role, "GOCOVERDIR": os.TempDir()},
	}
}
