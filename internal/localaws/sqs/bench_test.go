package sqs_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// benchWorkers and benchBody are the load that other servers were measured with: 4 workers, batches of 10 x 1 KB.
const benchWorkers = 4

var benchBody = strings.Repeat("0123456789abcdef", 64)

// BenchmarkService_Cycle sends, receives and deletes batches of ten through the SDK. One iteration is one batch; see msg/s.
func BenchmarkService_Cycle(b *testing.B) {
	for _, deep := range []int{0, 100_000, 1_000_000} {
		for _, name := range []string{"loopback", "in process"} {
			b.Run(fmt.Sprintf("%s/deep=%d", name, deep), func(b *testing.B) {
				service := sqs.New(sqs.Options{})
				defer service.Close()
				url, httpClient := transports[name](b, service)
				queue := must[string](b)(service.CreateQueue(b.Context(), "bench", nil))
				fill(b, service, deep)
				cycles(b, newClient(url, httpClient), queue)
			})
		}
	}
}

// BenchmarkService_Durable is BenchmarkService_Cycle with every change on disk before its reply.
func BenchmarkService_Durable(b *testing.B) {
	for _, deep := range []int{0, 100_000} {
		for _, name := range []string{"loopback", "in process"} {
			b.Run(fmt.Sprintf("%s/deep=%d", name, deep), func(b *testing.B) {
				service := open(b, b.TempDir(), nil)
				url, httpClient := transports[name](b, service)
				queue := must[string](b)(service.CreateQueue(b.Context(), "bench", nil))
				fill(b, service, deep)
				cycles(b, newClient(url, httpClient), queue)
			})
		}
	}
}

func fill(b *testing.B, service *sqs.Service, messages int) {
	for range messages {
		if _, err := service.Send(b.Context(), "bench", sqs.SendInput{Body: strings.Clone(benchBody)}); err != nil {
			b.Fatal(err)
		}
	}
}

// cycles spreads b.N batches over the workers.
func cycles(b *testing.B, client *awssqs.Client, queue string) {
	b.ReportAllocs()
	b.SetBytes(int64(10 * len(benchBody)))
	b.ResetTimer()
	cpu := cpuTime()
	var left atomic.Int64
	left.Store(int64(b.N))
	var workers sync.WaitGroup
	for range benchWorkers {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				if err := cycle(b.Context(), client, queue); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(10*b.N), "cpu-µs/msg")
	b.ReportMetric(float64(10*b.N)/b.Elapsed().Seconds(), "msg/s")
}

// cpuTime is what this process used so far; it tells a slow server from a busy machine. Client, server and collector are all in it.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func cycle(ctx context.Context, client *awssqs.Client, queue string) error {
	send := &awssqs.SendMessageBatchInput{QueueUrl: &queue}
	for i := range 10 {
		send.Entries = append(send.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(string(rune('0' + i))), MessageBody: &benchBody})
	}
	if _, err := client.SendMessageBatch(ctx, send); err != nil {
		return err
	}
	got, err := client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10})
	if err != nil || len(got.Messages) == 0 {
		return err
	}
	remove := &awssqs.DeleteMessageBatchInput{QueueUrl: &queue}
	for i, m := range got.Messages {
		remove.Entries = append(remove.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(string(rune('0' + i))), ReceiptHandle: m.ReceiptHandle})
	}
	_, err = client.DeleteMessageBatch(ctx, remove)
	return err
}

// BenchmarkService_Direct is one message through the Go API: send, receive, delete, at several depths and numbers of tenants.
func BenchmarkService_Direct(b *testing.B) {
	for _, shape := range []struct{ deep, tenants int }{{0, 1}, {1_000_000, 1}, {100_000, 10_000}} {
		b.Run(fmt.Sprintf("deep=%d/tenants=%d", shape.deep, shape.tenants), func(b *testing.B) {
			service := sqs.New(sqs.Options{})
			defer service.Close()
			must[string](b)(service.CreateQueue(b.Context(), "bench", nil))
			for i := range shape.deep {
				must[string](b)(service.Send(b.Context(), "bench", sqs.SendInput{Body: "deep", GroupID: fmt.Sprint(i % shape.tenants)}))
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(benchBody)))
			for b.Loop() {
				must[string](b)(service.Send(b.Context(), "bench", sqs.SendInput{Body: benchBody, GroupID: "0"}))
				got := must[[]sqs.Message](b)(service.Receive(b.Context(), "bench", sqs.ReceiveInput{}))
				if err := service.Delete(b.Context(), "bench", []string{got[0].ReceiptHandle}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
