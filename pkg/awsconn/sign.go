package awsconn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// S3 is the one service that signs in a way of its own.
const S3 = "s3"

// Scope is what a signature is good for.
type Scope struct{ Service, Region string }

// Sign signs a request with the configuration's credentials, in AWS's version 4. body is what the
// request will send. Sign it last: what is signed must not change.
//
// S3 differs from other services in that it wants the hash of the body as a header, and the path
// signed as it is sent. The hash also has S3 check that the body arrived whole.
func Sign(ctx context.Context, cfg *aws.Config, request *http.Request, body []byte, scope Scope) error {
	if cfg.Credentials == nil {
		return errors.New("no AWS credentials")
	}
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	digest := sha256.Sum256(body)
	sum := hex.EncodeToString(digest[:])
	if scope.Service == S3 {
		request.Header.Set("X-Amz-Content-Sha256", sum)
	}
	pathAsSent := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = scope.Service == S3 }
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, sum, scope.Service, scope.Region, time.Now(), pathAsSent); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return nil
}
