package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/queue"
)

const (
	// defaultAWS is where the AWS of `millrace dev` listens unless told otherwise.
	defaultAWS = "http://127.0.0.1:4577"
	// realAWS stands for AWS itself, with the usual configuration of the AWS SDKs.
	realAWS = "aws"
	// localRegion is the region of the AWS of `millrace dev`.
	localRegion = "us-east-1"
)

// awsFlags say where AWS is.
type awsFlags struct {
	AWS   string `name:"aws" env:"AWS_ENDPOINT_URL" default:"${aws}" placeholder:"URL" help:"AWS endpoint of 'millrace dev' or LocalStack; 'aws' is AWS itself, with your usual AWS configuration. Default: ${aws}."`
	Stack string `env:"MILLRACE_STACK" placeholder:"NAME" help:"A deployed stack: its queues and functions are meant, in AWS itself unless --aws says otherwise."`
}

// address is where AWS is: that of a stack is AWS itself.
func (f awsFlags) address() string {
	if f.Stack != "" && f.AWS == defaultAWS {
		return realAWS
	}
	return f.AWS
}

// named is what a queue or function is called in the stack, whose name all names start with. Other names stay.
func (f awsFlags) named(name string) string {
	if rest, ours := strings.CutPrefix(name, devstack.MainQueue); ours && f.Stack != "" {
		return f.Stack + rest
	}
	return name
}

// config returns the SDK's configuration for the endpoint. An endpoint on this machine gets credentials that nobody checks, and no
// retries: what does not answer here will not answer in a second either.
func (f awsFlags) config(ctx context.Context) (aws.Config, error) {
	if f.address() == realAWS {
		return loadAWS(ctx)
	}
	endpoint, err := url.Parse(f.AWS)
	if err != nil || endpoint.Host == "" {
		return aws.Config{}, usageError("--aws: %q is not a URL such as %s", f.AWS, defaultAWS)
	}
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithBaseEndpoint(f.AWS)}
	if isLoopback(endpoint.Hostname()) {
		options = append(options, awsconfig.WithRegion(localRegion), awsconfig.WithRetryMaxAttempts(1),
			awsconfig.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	}
	return loadAWS(ctx, options...)
}

func loadAWS(ctx context.Context, options ...func(*awsconfig.LoadOptions) error) (aws.Config, error) {
	loaded, err := awsconn.Load(ctx, options...)
	if err != nil {
		return aws.Config{}, usageError("%w", err)
	}
	return loaded, nil
}

// isLoopback says whether a host is this machine.
func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || (address != nil && address.IsLoopback())
}

// hint adds the next step to an error of a call.
func (f awsFlags) hint(err error) error { return unreachableHint(err, f.address()) }

// queueNamed finds a queue by its name, or takes a URL as it is.
func queueNamed(ctx context.Context, client *sqs.Client, name string) (*queue.Queue, error) {
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		return queue.New(client, name), nil
	}
	out, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, fmt.Errorf("find queue %s: %w", name, err)
	}
	return queue.New(client, aws.ToString(out.QueueUrl)), nil
}
