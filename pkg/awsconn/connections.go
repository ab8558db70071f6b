package awsconn

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// KeepConnections returns client without a fault that drops connections, for an SDK client that talks to a server nearby.
//
// The SDK closes a request's body as soon as the reply's headers are there. On loopback that can be before net/http has looked
// for the body's end. A closed body then says so with io.EOF from its WriteTo, where nil is the contract; net/http takes it for
// a failed write and closes the connection under the reply that is being read. One call in ten lost its connection, and a receive
// of a hundred kilobytes now and then its messages. A body without WriteTo is asked by Read, whose io.EOF is right.
//
// Seen with smithy-go v1.28.8, transport/http/internal/io/safe.go.
//
// A nil client, as the SDK's configuration has it unless told otherwise, stands for the SDK's default.
func KeepConnections(client aws.HTTPClient) aws.HTTPClient {
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	return keeper{client}
}

type keeper struct{ client aws.HTTPClient }

// Do sends a request whose body has nothing but Read and Close.
func (k keeper) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return k.client.Do(r) //nolint:wrapcheck // a decorator adds nothing to the error
}
