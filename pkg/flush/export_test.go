package flush

import "github.com/millrace-dev/millrace/pkg/queue"

// ScanForBenchmark calls f for each message of an SQS event.
func ScanForBenchmark(data []byte, f func(queue.Received) error) error {
	p, err := parsePayload(data)
	for i := range p.messages {
		if err == nil {
			err = f(p.messages[i])
		}
	}
	return err
}
