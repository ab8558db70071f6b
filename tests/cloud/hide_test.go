package cloud

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// hideNewer drains a pack that a newer Millrace wrote, which the drain hides for a while that grows
// with the receives. Where it may not, the pack comes back with its visibility timeout, and the
// flush says so.
func (j *journey) hideNewer(t *testing.T) error {
	t.Helper()
	began := time.Now()
	_, err := j.queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &j.queueURL, MessageBody: aws.String(`{"v":99,"id":"newer"}`)})
	if err != nil {
		t.Fatal(err)
	}
	reply, err := j.invoke(t, j.flush, map[string]any{"drain": true})
	if err != nil {
		return err
	}
	if want := []byte(`"back": 1`); !bytes.Contains(reply, want) {
		return fmt.Errorf("the drain says %s, want %s", reply, want)
	}
	for _, line := range j.logged(t.Context(), t, j.flush, began) {
		if strings.Contains(line, "come back with their visibility timeout only") {
			return fmt.Errorf("the flush could not hide what comes back: %s", line)
		}
	}
	return nil
}
