package conformance_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// batchTrials are about the batch calls: what is refused as a whole, and what entry by entry.
func batchTrials() []trial {
	page := apiReference + "SendMessageBatch"
	const prefix = "AWS.SimpleQueueService."
	var trials []trial
	for _, row := range []struct {
		id      string
		entries []types.SendMessageBatchRequestEntry
		code    string
	}{
		{"eleven entries are refused", entries("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"), prefix + "TooManyEntriesInBatchRequest"},
		{"no entries are refused", []types.SendMessageBatchRequestEntry{}, prefix + "EmptyBatchRequest"},
		{"the same id twice is refused", entries("a", "b", "a"), prefix + "BatchEntryIdsNotDistinct"},
		{"an id with a space is refused", entries("a b"), prefix + "InvalidBatchEntryId"},
		{"an empty id is refused", entries(""), prefix + "InvalidBatchEntryId"},
		{"an id of 81 characters is refused", entries(strings.Repeat("i", 81)), prefix + "InvalidBatchEntryId"},
		{"more than 1 MiB in all is refused", sized(mebibyte/2, mebibyte/2+1), prefix + "BatchRequestTooLong"},
		{"ten entries", entries("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"), ""},
		{"1 MiB in all", sized(mebibyte/2, mebibyte/2), ""},
		{"an id of 80 characters", entries(strings.Repeat("i", 80)), ""},
	} {
		trials = append(trials, trial{"batch/" + row.id, page, func(s *session) error {
			out, err := s.client.SendMessageBatch(s.ctx, &sqs.SendMessageBatchInput{QueueUrl: aws.String(s.queue(nil)), Entries: row.entries})
			if row.code != "" {
				return refused(err, row.code)
			}
			if err != nil {
				return err
			}
			return same("successes", len(row.entries), len(out.Successful))
		}})
	}
	return append(trials,
		trial{"batch/bad entries fail alone", page, batchPartly},
		trial{"batch/MaximumMessageSize counts per entry", apiReference + "SetQueueAttributes", func(s *session) error {
			queue := s.queue(attributes{"MaximumMessageSize": "1024"})
			out, err := s.client.SendMessageBatch(s.ctx, &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: sized(1024, 1024, 1025)})
			if err != nil {
				return err
			}
			return same("successes and failures", [2]int{2, 1}, [2]int{len(out.Successful), len(out.Failed)})
		}},
		trial{"batch/results carry id and MD5", page, func(s *session) error {
			out, err := s.client.SendMessageBatch(s.ctx, &sqs.SendMessageBatchInput{QueueUrl: aws.String(s.queue(nil)), Entries: entries("one")})
			if err != nil {
				return err
			}
			if len(out.Successful) != 1 {
				return fmt.Errorf("results %+v", out)
			}
			got := out.Successful[0]
			return same("id and MD5", [2]string{"one", "6f8f57715090da2632453988d9a1501b"}, [2]string{*got.Id, *got.MD5OfMessageBody})
		}},
		trial{"batch/delete with a bad handle fails alone", apiReference + "DeleteMessageBatch", deletePartly},
		trial{"batch/visibility with a bad handle fails alone", apiReference + "ChangeMessageVisibilityBatch", hidePartly},
		trial{"batch/delete of no entries is refused", apiReference + "DeleteMessageBatch", func(s *session) error {
			_, err := s.client.DeleteMessageBatch(s.ctx, &sqs.DeleteMessageBatchInput{
				QueueUrl: aws.String(s.queue(nil)), Entries: []types.DeleteMessageBatchRequestEntry{},
			})
			return refused(err, prefix+"EmptyBatchRequest")
		}},
	)
}

// entries are messages "m" with these ids.
func entries(ids ...string) []types.SendMessageBatchRequestEntry {
	all := make([]types.SendMessageBatchRequestEntry, len(ids))
	for i, id := range ids {
		all[i] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("m")}
	}
	return all
}

// sized are messages of these sizes.
func sized(sizes ...int) []types.SendMessageBatchRequestEntry {
	all := make([]types.SendMessageBatchRequestEntry, len(sizes))
	for i, size := range sizes {
		all[i] = types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint("e", i)), MessageBody: aws.String(strings.Repeat("x", size))}
	}
	return all
}

func batchPartly(s *session) error {
	queue := s.queue(nil)
	all := entries("good", "character", "delay", "attribute")
	all[1].MessageBody = aws.String("\u0002")
	all[2].DelaySeconds = 901
	all[3].MessageAttributes = map[string]types.MessageAttributeValue{"n": number("many")}
	out, err := s.client.SendMessageBatch(s.ctx, &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: all})
	if err != nil {
		return err
	}
	got := map[string]string{}
	for _, failed := range out.Failed {
		got[*failed.Id] = *failed.Code
		if !failed.SenderFault {
			return fmt.Errorf("entry %s: SenderFault is false", *failed.Id)
		}
	}
	if err := same("failures", map[string]string{"character": "InvalidMessageContents", "delay": badValue, "attribute": badValue}, got); err != nil {
		return err
	}
	_, err = s.one(queue)
	return err
}

func deletePartly(s *session) error {
	queue := s.queue(nil)
	if err := s.send(queue, "m"); err != nil {
		return err
	}
	m, err := s.one(queue)
	if err != nil {
		return err
	}
	out, err := s.client.DeleteMessageBatch(s.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &queue, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("good"), ReceiptHandle: m.ReceiptHandle}, {Id: aws.String("bad"), ReceiptHandle: aws.String("garbage")},
	}})
	if err != nil {
		return err
	}
	if len(out.Successful) != 1 || len(out.Failed) != 1 {
		return fmt.Errorf("%d successes and %d failures, want one each", len(out.Successful), len(out.Failed))
	}
	return same("failure", [2]string{"bad", "ReceiptHandleIsInvalid"}, [2]string{*out.Failed[0].Id, *out.Failed[0].Code})
}

func hidePartly(s *session) error {
	queue := s.queue(nil)
	if err := s.send(queue, "m"); err != nil {
		return err
	}
	m, err := s.one(queue)
	if err != nil {
		return err
	}
	out, err := s.client.ChangeMessageVisibilityBatch(s.ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &queue, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("good"), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0}, {Id: aws.String("bad"), ReceiptHandle: aws.String("garbage"), VisibilityTimeout: 0},
	}})
	if err != nil {
		return err
	}
	if len(out.Successful) != 1 || len(out.Failed) != 1 || *out.Failed[0].Id != "bad" {
		return fmt.Errorf("%+v, want one success and one failure", out)
	}
	_, err = s.one(queue)
	return err
}
