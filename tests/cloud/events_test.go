package cloud

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
	"github.com/posthog/posthog-go"
)

// eventsPerSDK is enough for several requests and packs.
const eventsPerSDK = 300

// sendEvents sends through the API what real SDKs send, in bodies of text and of bytes.
func (j *journey) sendEvents(t *testing.T) {
	for _, compression := range []posthog.CompressionMode{posthog.CompressionNone, posthog.CompressionGzip} {
		t.Run(fmt.Sprintf("posthog-go with compression %v", compression), func(t *testing.T) {
			if compression == posthog.CompressionGzip {
				differs(t, gzipBodies) // they arrive all the same
			}
			j.wantDelivered(t, j.healthy, j.capture(t, compression)...)
		})
	}
	for _, encoding := range []string{"", "zstd"} {
		t.Run("JSON with encoding "+strconv.Quote(encoding), func(t *testing.T) {
			j.wantDelivered(t, j.healthy, j.postEncoded(t, "plain", encoding))
		})
	}
	t.Run("a wrong key is refused", func(t *testing.T) {
		status, body := j.send(t, []byte(`{"type":"x"}`), "phc_wrong", "")
		if status != http.StatusUnauthorized {
			t.Errorf("status %d %s, want 401", status, body)
		}
	})
}

// capture sends events with an SDK and returns their ids.
func (j *journey) capture(t *testing.T, compression posthog.CompressionMode) []string {
	t.Helper()
	client, err := posthog.NewWithConfig(key, posthog.Config{Endpoint: j.api, Compression: compression, BatchSize: 50})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, eventsPerSDK)
	for i := range ids {
		ids[i] = uuid.NewString()
		event := posthog.Capture{
			Uuid: ids[i], DistinctId: fmt.Sprintf("user-%d", i%10), Event: "order placed",
			Properties: posthog.NewProperties().Set("amount", i).Set("city", "Zürich"),
		}
		if err := client.Enqueue(event); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// post sends one event and returns its id.
func (j *journey) post(t *testing.T, kind string) string {
	t.Helper()
	return j.postEncoded(t, kind, "")
}

func (j *journey) postEncoded(t *testing.T, kind, encoding string) string {
	t.Helper()
	id := uuid.NewString()
	body := fmt.Appendf(nil, `{"id":%q,"type":%q,"city":"Zürich"}`, id, kind)
	if status, reply := j.send(t, encode(t, body, encoding), key, encoding); status/100 != 2 {
		t.Fatalf("%s: status %d %s, want 2xx", kind, status, reply)
	}
	return id
}

// encode compresses a body as its Content-Encoding says.
func encode(t *testing.T, body []byte, encoding string) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "":
		return body
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		encoder, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w = encoder
	default:
		t.Fatalf("unknown encoding %q", encoding)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// send posts a body to the generic receiver, which must answer.
func (j *journey) send(t *testing.T, body []byte, writeKey, encoding string) (status int, reply string) {
	t.Helper()
	status, reply, err := j.exchange(t.Context(), body, writeKey, encoding)
	if err != nil {
		t.Fatal(err)
	}
	return status, reply
}

// tryPost sends one event, and says whether it was accepted.
func (j *journey) tryPost(ctx context.Context, kind string) (id string, accepted bool) {
	id = uuid.NewString()
	status, _, err := j.exchange(ctx, fmt.Appendf(nil, `{"id":%q,"type":%q}`, id, kind), key, "")
	return id, err == nil && status/100 == 2
}

func (j *journey) exchange(ctx context.Context, body []byte, writeKey, encoding string) (status int, reply string, err error) {
	return j.exchangeAt(ctx, "/v1/ingest", body, writeKey, encoding)
}

// exchangeAt posts a body to any path of the API.
func (j *journey) exchangeAt(ctx context.Context, path string, body []byte, writeKey, encoding string) (status int, reply string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, j.api+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+writeKey)
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// wantDelivered waits until a sink has every event.
func (j *journey) wantDelivered(t *testing.T, to *sink, ids ...string) {
	t.Helper()
	j.wantDeliveredWithin(t, deliveryWait, to, ids...)
}

func (j *journey) wantDeliveredWithin(t *testing.T, wait time.Duration, to *sink, ids ...string) {
	t.Helper()
	eventually(t, wait, "all events arrive", func(context.Context) (string, bool) {
		counts, missing := to.Counts(), 0
		for _, id := range ids {
			if counts[id] == 0 {
				missing++
			}
		}
		return fmt.Sprintf("%d of %d are missing", missing, len(ids)), missing == 0
	})
}

// wantDepth waits until a queue holds so many messages, hidden ones included.
func (j *journey) wantDepth(t *testing.T, queueURL string, want int) {
	t.Helper()
	eventually(t, deliveryWait, "the queue's depth", func(ctx context.Context) (string, bool) {
		n := j.depth(ctx, t, queueURL)
		return fmt.Sprintf("%d messages, want %d", n, want), n == want
	})
}

func (j *journey) depth(ctx context.Context, t *testing.T, queueURL string) int {
	t.Helper()
	out, err := j.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queueURL, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, value := range out.Attributes {
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return total
}
