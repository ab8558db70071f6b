package claimcheck

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// call is one call of S3's REST API.
type call struct {
	bucket, key string
	cfg         *aws.Config
	method      string
	body        []byte
	maxBytes    int // of the object in the reply
}

// do tries once. A failure states its class.
func (c *call) do(ctx context.Context) ([]byte, error) {
	request, err := c.request(ctx)
	if err != nil {
		return nil, retry.Fail(retry.Setup, 0, err)
	}
	response, err := c.cfg.HTTPClient.Do(request)
	if err != nil {
		return nil, retry.Fail(retry.Transient, 0, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, refusal(response)
	}
	if c.method == http.MethodPut {
		return nil, nil
	}
	if response.ContentLength > int64(c.maxBytes) {
		return nil, c.oversized()
	}
	// One byte over the limit is enough to know; the rest is not read.
	object := bytes.NewBuffer(make([]byte, 0, max(0, response.ContentLength)+bytes.MinRead))
	if _, err := object.ReadFrom(io.LimitReader(response.Body, int64(c.maxBytes)+1)); err != nil {
		return nil, retry.Fail(retry.Transient, 0, err)
	}
	if object.Len() > c.maxBytes {
		return nil, c.oversized()
	}
	return object.Bytes(), nil
}

func (c *call) oversized() error {
	return retry.Fail(retry.Permanent, 0, fmt.Errorf("%w: its object is larger than the %d bytes announced", batch.ErrCorrupt, c.maxBytes))
}

// request builds and signs the request.
func (c *call) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, c.method, c.url(ctx), bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	if c.method == http.MethodPut {
		request.Header.Set("Content-Type", "application/octet-stream")
	}
	if err := awsconn.Sign(ctx, c.cfg, request, c.body, awsconn.Scope{Service: awsconn.S3, Region: c.cfg.Region}); err != nil {
		return nil, err
	}
	return request, nil
}

// url is the object's. Keys have no character that needs escaping (see pkg/batch). The
// bucket is part of the host, as AWS wants it, but of the path where an emulator listens or
// where dots in its name would not fit AWS's certificate.
func (c *call) url(ctx context.Context) string {
	if endpoint := c.endpoint(ctx); endpoint != "" {
		return strings.TrimSuffix(endpoint, "/") + "/" + c.bucket + "/" + c.key
	}
	host := "s3." + c.cfg.Region + ".amazonaws.com"
	if strings.HasPrefix(c.cfg.Region, "cn-") {
		host += ".cn"
	}
	if strings.Contains(c.bucket, ".") {
		return "https://" + host + "/" + c.bucket + "/" + c.key
	}
	return "https://" + c.bucket + "." + host + "/" + c.key
}

// endpoint is what AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL say, in this order, as for the
// SDK's own clients; empty for AWS.
func (c *call) endpoint(ctx context.Context) string {
	for _, source := range c.cfg.ConfigSources {
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
		}); ok {
			if endpoint, found, err := s.GetServiceBaseEndpoint(ctx, "S3"); err == nil && found {
				return endpoint
			}
		}
	}
	return aws.ToString(c.cfg.BaseEndpoint)
}
