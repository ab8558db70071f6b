package lambdahttp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/klauspost/compress/gzip"

	"github.com/millrace-dev/millrace/pkg/ingest/lambdahttp"
)

// payload is a REST event whose body has 50 events of 1 KB.
func payload(b *testing.B, gzipped bool) []byte {
	b.Helper()
	list := make([]string, 50)
	for i := range list {
		list[i] = fmt.Sprintf(`{"uuid":"0195e0a4-3c1b-7c55-9d0e-%012x","event":"checkout","distinct_id":"user-%d","properties":{"note":"größe \"%s\""}}`, i, i, strings.Repeat("lorem ipsum ", 75))
	}
	event := events.APIGatewayProxyRequest{}
	if err := json.Unmarshal(fixture(b, "rest-v1.json"), &event); err != nil {
		b.Fatal(err)
	}
	event.Body = `{"api_key":"phc_demo","batch":[` + strings.Join(list, ",") + `]}`
	if gzipped {
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		w.Write([]byte(event.Body))
		w.Close()
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(buf.Bytes()), true
	}
	data, err := json.Marshal(event)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// BenchmarkInvoke is the adapter around a handler that does nothing.
func BenchmarkInvoke(b *testing.B) {
	for name, gzipped := range map[string]bool{"plain": false, "gzip": true} {
		b.Run(name, func(b *testing.B) {
			data := payload(b, gzipped)
			h := lambdahttp.Handler{HTTP: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"status":1}`)) })}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Invoke(b.Context(), data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEventStruct decodes the same payloads the way most handlers do.
func BenchmarkEventStruct(b *testing.B) {
	for name, gzipped := range map[string]bool{"plain": false, "gzip": true} {
		b.Run(name, func(b *testing.B) {
			data := payload(b, gzipped)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				var event events.APIGatewayProxyRequest
				if err := json.Unmarshal(data, &event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
