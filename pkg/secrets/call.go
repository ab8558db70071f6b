package secrets

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/awsconn"
)

const (
	// maxReplyBytes bounds a reply. A secret has at most 64 KiB (AWS Secrets Manager User
	// Guide, "Quotas"), escaped as JSON at most six times that.
	maxReplyBytes = 512 << 10
	// callTimeout is far more than a call takes, and far less than a function's start may.
	callTimeout = 5 * time.Second
)

// call is one call of an AWS service with the JSON 1.1 protocol.
type call struct{ service, region, target string }

// do sends the call and decodes its reply. It does not retry: a function that cannot start
// is started again by Lambda.
func (c call) do(ctx context.Context, cfg *aws.Config, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := c.request(ctx, cfg, in)
	if err != nil {
		return err
	}
	response, err := cfg.HTTPClient.Do(request)
	if err != nil {
		return fmt.Errorf("call %s: %w", c.target, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReplyBytes))
	if err != nil {
		return fmt.Errorf("call %s: %w", c.target, err)
	}
	if response.StatusCode != http.StatusOK {
		return c.refusal(response.StatusCode, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("call %s: the reply is not what the service documents", c.target) // the cause may quote it
	}
	return nil
}

// request builds and signs the request.
func (c call) request(ctx context.Context, cfg *aws.Config, in any) (*http.Request, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", c.target, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint(cfg), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", c.target, err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", c.target)
	if err := awsconn.Sign(ctx, cfg, request, body, awsconn.Scope{Service: c.service, Region: c.region}); err != nil {
		return nil, fmt.Errorf("call %s: %w", c.target, err)
	}
	return request, nil
}

// endpoint is the service's own, or that of an emulator.
func (c call) endpoint(cfg *aws.Config) string {
	if cfg.BaseEndpoint != nil && *cfg.BaseEndpoint != "" {
		return *cfg.BaseEndpoint
	}
	suffix := "amazonaws.com"
	if strings.HasPrefix(c.region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	return "https://" + c.service + "." + c.region + "." + suffix + "/"
}

// refusal reads the service's error, which never holds the value.
func (c call) refusal(status int, body []byte) error {
	var said struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &said, json.MatchCaseInsensitiveNames(true))
	kind := said.Type[strings.LastIndexByte(said.Type, '#')+1:]
	return fmt.Errorf("call %s: status %d %s: %s", c.target, status, kind, said.Message)
}
