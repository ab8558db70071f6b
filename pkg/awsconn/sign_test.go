package awsconn_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/millrace-dev/millrace/pkg/awsconn"
)

func keys() aws.Credentials {
	//nolint:gosec // of AWS's documentation, good for nothing
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI", SessionToken: "session"}
}

func signedBy(provider aws.CredentialsProvider, service string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPut, "https://aws.test/packs/acme%2F1", strings.NewReader("body"))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "text/plain")
	scope := awsconn.Scope{Service: service, Region: "eu-west-1"}
	return request, awsconn.Sign(context.Background(), &aws.Config{Credentials: provider}, request, []byte("body"), scope)
}

// The signature is the one that the SDK's own signer makes in the way of the service.
func TestSign_Services(t *testing.T) {
	t.Parallel()
	given := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys(), nil })
	digest := sha256.Sum256([]byte("body"))
	sum := hex.EncodeToString(digest[:])
	for _, row := range []struct {
		service    string
		bodyHeader string
		pathAsSent bool
	}{{"ssm", "", false}, {awsconn.S3, sum, true}} {
		t.Run(row.service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // the time is part of the signature
				request, err := signedBy(given, row.service)
				if err != nil {
					t.Fatal(err)
				}
				if got := request.Header.Get("X-Amz-Content-Sha256"); got != row.bodyHeader {
					t.Errorf("the hash in the header is %q, want %q", got, row.bodyHeader)
				}
				again := request.Clone(t.Context())
				again.Header.Del("Authorization")
				asSent := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = row.pathAsSent }
				if err := v4.NewSigner().SignHTTP(t.Context(), keys(), again, sum, row.service, "eu-west-1", time.Now(), asSent); err != nil {
					t.Fatal(err)
				}
				got, want := request.Header.Get("Authorization"), again.Header.Get("Authorization")
				if got != want || !strings.Contains(got, "/eu-west-1/"+row.service+"/aws4_request") {
					t.Errorf("signed %q, want %q", got, want)
				}
			})
		})
	}
}

func TestSign_WithoutCredentials_SaysWhy(t *testing.T) {
	t.Parallel()
	away := errors.New("the credentials are away")
	for _, row := range []struct {
		name     string
		provider aws.CredentialsProvider
		want     string
	}{
		{"none", nil, "no AWS credentials"},
		{"away", aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, away }), "credentials: the credentials are away"},
	} {
		request, err := signedBy(row.provider, "ssm")
		if err == nil || err.Error() != row.want || request.Header.Get("Authorization") != "" {
			t.Errorf("%s: got %v and a signature %q, want %q and none", row.name, err, request.Header.Get("Authorization"), row.want)
		}
	}
}
