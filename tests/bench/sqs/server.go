package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	local "github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// inMemory is the -serve of a server without a data directory.
const inMemory = "memory"

// serve is an embedded AWS as `millrace dev` has it, until standard input ends. It prints its URL.
func serve(ctx context.Context, data string, out io.Writer) error {
	if data == inMemory {
		data = ""
	}
	server, err := localaws.Start(ctx, localaws.Options{DataDir: data})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, server.AWSURL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return server.Close(context.WithoutCancel(ctx))
}

// fleet are the servers of one run.
type fleet struct {
	log      io.Writer
	subjects []*subject
	// closers end them, the last one first.
	closers []func() error
}

func (f *fleet) stop() error {
	var problems []error
	for _, end := range slices.Backward(f.closers) {
		problems = append(problems, end())
	}
	return errors.Join(problems...)
}

// start starts every server that the options name.
func (f *fleet) start(ctx context.Context, o options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range []string{embeddedMemory, embeddedDurable} {
		for _, deep := range []int{0, o.deep} { // one after the other, because they are compared
			data := inMemory
			if name == embeddedDurable {
				if data, err = os.MkdirTemp("", "millrace-bench-"); err != nil {
					return err
				}
				f.closers = append(f.closers, func() error { return os.RemoveAll(data) })
			}
			if err := f.child(ctx, &subject{name: name, transport: loopback, deep: deep}, self, "-serve", data); err != nil {
				return err
			}
		}
	}
	service := local.New(local.Options{})
	f.closers = append(f.closers, func() error { service.Close(); return nil })
	f.add(&subject{name: embeddedMemory, transport: inProcess}, "http://sqs.bench", inprocess.Transport{Handler: service})
	if o.goaws != "" {
		if err := f.child(ctx, &subject{name: "goaws", transport: loopback}, o.goaws); err != nil {
			return err
		}
	}
	if o.fauxqs != "" {
		f.add(&subject{name: "fauxqs", transport: loopback, pid: o.fauxqsPID}, o.fauxqs, newHTTPClient())
	}
	return nil
}

// child starts a server that prints its URL and ends with its standard input.
func (f *fleet) child(ctx context.Context, s *subject, program string, arguments ...string) error {
	command := exec.CommandContext(ctx, program, arguments...) //nolint:gosec // it is this program, or the one that the caller named
	command.Stderr = f.log
	input, err := command.StdinPipe()
	if err != nil {
		return err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	f.closers = append(f.closers, func() error {
		input.Close()
		return command.Wait()
	})
	url, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return fmt.Errorf("%s printed no URL: %w", s.name, err)
	}
	s.pid = command.Process.Pid
	f.add(s, strings.TrimSpace(url), newHTTPClient())
	return nil
}

func (f *fleet) add(s *subject, url string, httpClient aws.HTTPClient) {
	s.client = sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &url, HTTPClient: httpClient,
		RetryMaxAttempts: 10, // on a busy machine the SDK loses a reply of any loopback server now and then
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	f.subjects = append(f.subjects, s)
}

func newHTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
}
