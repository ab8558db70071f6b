package queue_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	embedded "github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
)

// replying gives every request the reply that SQS gave the first one, so that only the
// client's side is measured.
type replying struct {
	status int
	header http.Header
	body   []byte
}

func (r replying) Do(request *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: r.status, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.body)),
		ContentLength: int64(len(r.body)), Request: request,
	}, nil
}

// recorder keeps the last reply of the client inside.
type recorder struct {
	inner sqs.HTTPClient
	last  replying
}

func (r *recorder) Do(request *http.Request) (*http.Response, error) {
	response, err := r.inner.Do(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	r.last = replying{response.StatusCode, response.Header, body}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// BenchmarkSend is the CPU that sending one pack of 50 events of 1 KB costs the ingest
// function in the SDK, network and SQS apart. Most of it is JSON, base64 and the SHA-256
// of the signature; switching off checksums or retries changes nothing that can be measured.
func BenchmarkSend(b *testing.B) {
	server := queuetest.Start(b, embedded.Options{})
	pack := benchPack(b)
	warm := &recorder{inner: server.Client.Options().HTTPClient}
	client := func(http sqs.HTTPClient) *sqs.Client {
		return sqs.New(server.Client.Options(), func(o *sqs.Options) { o.HTTPClient = http })
	}
	url := server.Queue(b, "packs").URL()
	if err := queue.New(client(warm), url).Send(b.Context(), pack); err != nil {
		b.Fatal(err)
	}
	q := queue.New(client(warm.last), url)
	b.ReportAllocs()
	b.SetBytes(int64(pack.Message.Bytes()))
	for b.Loop() {
		if err := q.Send(b.Context(), pack); err != nil {
			b.Fatal(err)
		}
	}
}

func benchPack(b *testing.B) queue.Outgoing {
	b.Helper()
	events := make([]event.Event, 50)
	noise := uint64(1)
	for i := range events {
		data := fmt.Appendf(nil, `{"event":"checkout_started","n":%d,"pad":"`, i)
		for len(data) < 1000 { // text that compresses about as events do
			noise = noise*6364136223846793005 + 1442695040888963407
			data = fmt.Appendf(data, "field%d=%04x;", noise>>61, noise>>48)
		}
		events[i] = event.Event{ID: fmt.Sprintf("0198c2d4-%08d", i), Source: "web", Type: "checkout_started", Kind: "event", Data: append(data, `"}`...)}
	}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	messages, err := batch.Encode(batch.Meta{Tenant: "acme", Receiver: "generic", First: at, Last: at}, events)
	if err != nil || len(messages) != 1 {
		b.Fatalf("%d messages, %v; want 1", len(messages), err)
	}
	return queue.Outgoing{Message: messages[0]}
}
