package esm

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// BenchmarkBatch_Fill builds the event of ten packs of 50 KB in a Binary attribute.
func BenchmarkBatch_Fill(b *testing.B) {
	message := sqs.Message{
		ID: "0b0cb6b1-6e5f-4e7e-9f0a-1df1e0f0a0a0", ReceiptHandle: strings.Repeat("h", 200), Body: strings.Repeat(`{"v":1}`, 40),
		Attributes:        map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1763719620000"},
		MessageAttributes: map[string]sqs.Attribute{"pack": {DataType: "Binary", BinaryValue: make([]byte, 50_000)}},
	}
	messages := make([]sqs.Message, 10)
	for i := range messages {
		messages[i] = message
		messages[i].ID = message.ID[:35] + string(rune('0'+i))
	}
	options := Options{}.withDefaults()
	b.ReportAllocs()
	b.SetBytes(500_000)
	for b.Loop() {
		var filled batch
		records := make([]record, 0, len(messages))
		for _, message := range messages {
			records = append(records, newRecord(message, options))
		}
		if rest := filled.fill(records); len(rest) > 0 || len(filled.event()) < 600_000 {
			b.Fatal("the batch was cut")
		}
	}
}

// BenchmarkRead reads a response that names one of ten.
func BenchmarkRead(b *testing.B) {
	response := []byte(`{"batchItemFailures":[{"itemIdentifier":"0b0cb6b1-6e5f-4e7e-9f0a-1df1e0f0a0a0"}]}`)
	batch := map[string]string{"0b0cb6b1-6e5f-4e7e-9f0a-1df1e0f0a0a0": "handle"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(response, batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMapping_Backlog brings messages of 1 KB to a function that only counts them, a hundred at a time.
func BenchmarkMapping_Backlog(b *testing.B) {
	service := sqs.New(sqs.Options{})
	defer service.Close()
	if _, err := service.CreateQueue(b.Context(), "q", nil); err != nil {
		b.Fatal(err)
	}
	body := strings.Repeat("x", 1000)
	for range b.N {
		if _, err := service.Send(b.Context(), "q", sqs.SendInput{Body: body}); err != nil {
			b.Fatal(err)
		}
	}
	var taken atomic.Int64
	done := make(chan struct{})
	invoke := func(_ context.Context, payload []byte) (lambda.Result, error) {
		records := int64(bytes.Count(payload, []byte(`"messageId"`)))
		if taken.Add(records) == int64(b.N) {
			close(done)
		}
		return lambda.Result{}, nil
	}
	b.ReportAllocs()
	b.ResetTimer()
	mapping, err := Start(service, invoke, Options{Queue: "q", BatchSize: 100, Window: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	<-done
	b.StopTimer()
	if err := mapping.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
}
