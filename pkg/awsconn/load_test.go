package awsconn_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/millrace-dev/millrace/pkg/awsconn"
)

// onLambda sets the environment that a function finds, and nothing of this machine's.
func onLambda(t *testing.T) {
	t.Helper()
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_PROFILE": "",
		"AWS_ENDPOINT_URL": "http://aws.test", "AWS_CA_BUNDLE": "", "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere,
	} {
		t.Setenv(name, value)
	}
}

func TestLoad_Environment_IsObeyed(t *testing.T) { //nolint:paralleltest // sets the environment
	onLambda(t)
	cfg, err := awsconn.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || keys.AccessKeyID != "AKIDEXAMPLE" || cfg.Region != "eu-north-1" || aws.ToString(cfg.BaseEndpoint) != "http://aws.test" {
		t.Errorf("loaded %s at %s with the key %s (%v), want what the environment says", cfg.Region, aws.ToString(cfg.BaseEndpoint), keys.AccessKeyID, err)
	}
}

// answering is an HTTP client that answers by itself, and keeps the request.
type answering struct{ request *http.Request }

func (a *answering) Do(r *http.Request) (*http.Response, error) {
	a.request = r
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// Whatever client there is, its connections are kept: the bodies that it gets can only be read.
func TestLoad_ConnectionsAreKept(t *testing.T) { //nolint:paralleltest // sets the environment
	onLambda(t)
	client := new(answering)
	cfg, err := awsconn.Load(t.Context(), config.WithHTTPClient(client))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://aws.test", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := cfg.HTTPClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, writes := client.request.Body.(io.WriterTo); writes || client.request.Body == nil {
		t.Errorf("the body is a %T, want one that can only be read", client.request.Body)
	}
}

// A configuration that could not be read is read again.
func TestLoad_Failure_IsNotForEver(t *testing.T) {
	onLambda(t)
	broken := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(broken, []byte("[default\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", broken)
	t.Setenv("AWS_PROFILE", "missing")
	if _, err := awsconn.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "aws configuration") {
		t.Fatalf("error is %v, want one about the aws configuration", err)
	}
	t.Setenv("AWS_PROFILE", "")
	if _, err := awsconn.Load(t.Context()); err != nil {
		t.Errorf("with the environment mended: %v", err)
	}
}
