package cloud

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// releaseNewer drains a pack that a newer Millrace wrote, which must be there for that Millrace
// as soon as the drain is over.
func (j *journey) releaseNewer(t *testing.T) error {
	t.Helper()
	_, err := j.queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &j.queueURL, MessageBody: aws.String(`{"v":99,"id":"newer"}`)})
	if err != nil {
		t.Fatal(err)
	}
	reply, err := j.invoke(t, j.flush, map[string]any{"drain": true})
	if err != nil {
		return err
	}
	out, err := j.queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &j.queueURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		t.Fatal(err)
	}
	if visible := out.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)]; visible != "1" {
		return fmt.Errorf("%s messages are visible after %s, want the one of a newer Millrace", visible, reply)
	}
	return nil
}
