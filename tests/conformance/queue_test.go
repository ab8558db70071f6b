package conformance_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queueTrials are about queues as such: names, existence, lists, tags, purges.
func queueTrials() []trial {
	trials := []trial{
		{"queue/same attributes give the same queue", apiReference + "CreateQueue", createAgain},
		{"queue/other attributes are refused", apiReference + "CreateQueue", createOther},
		{"queue/name is free only 60 s after a delete", apiReference + "CreateQueue", createDeleted},
		{"queue/FIFO queues can be made", apiReference + "CreateQueue", createFIFO},
		{"queue/URL by name", apiReference + "GetQueueUrl", urlByName},
		{"queue/ARN ends in the name", apiReference + "GetQueueAttributes", arnHasName},
		{"queue/deleted queue is gone", apiReference + "DeleteQueue", deleteGone},
		{"queue/list by prefix", apiReference + "ListQueues", listByPrefix},
		{"queue/list in pages", apiReference + "ListQueues", listPages},
		{"queue/list of more than 1000 is refused", apiReference + "ListQueues", func(s *session) error {
			_, err := s.client.ListQueues(s.ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1001)})
			return refused(err, badValue)
		}},
		{"queue/purge empties", apiReference + "PurgeQueue", purgeEmpties},
		{"queue/purge again within 60 s is refused", apiReference + "PurgeQueue", purgeTwice},
		{"queue/tags at creation", apiReference + "CreateQueue", tagsAtCreation},
		{"queue/tags are added and replaced", apiReference + "TagQueue", tagsReplaced},
		{"queue/tags are removed", apiReference + "UntagQueue", tagsRemoved},
		{"queue/more than 50 tags are refused", devGuide + "sqs-queue-tags", tagsTooMany},
		{"queue/permissions can be added", apiReference + "AddPermission", func(s *session) error {
			queue := s.queue(nil)
			_, err := s.client.AddPermission(s.ctx, &sqs.AddPermissionInput{
				QueueUrl: &queue, Label: aws.String("share"), Actions: []string{"SendMessage"}, AWSAccountIds: []string{"111122223333"},
			})
			return err
		}},
	}
	return slices.Concat(trials, nameTrials(), missingQueueTrials())
}

// nameTrials are about what a queue may be called.
func nameTrials() []trial {
	var trials []trial
	for _, row := range []struct {
		what, name string
		ok         bool
	}{
		{"80 characters", strings.Repeat("n", 79) + "x", true},
		{"81 characters", strings.Repeat("n", 81), false},
		{"letters, digits, hyphen, underscore", "Conformance-1_", true},
		{"a space", "a b", false},
		{"a dot", "a.b", false},
		{"a slash", "a/b", false},
		{"an umlaut", "mühle", false},
	} {
		outcome := "is refused"
		if row.ok {
			outcome = "is allowed"
		}
		trials = append(trials, trial{"name/" + row.what + " " + outcome, pageQueueName, func(s *session) error {
			out, err := s.client.CreateQueue(s.ctx, &sqs.CreateQueueInput{QueueName: &row.name})
			if !row.ok {
				return refused(err, badValue)
			}
			if err == nil {
				s.queues = append(s.queues, *out.QueueUrl)
			}
			return err
		}})
	}
	return trials
}

// missingQueueTrials call every operation on a queue that is not there.
func missingQueueTrials() []trial {
	handle := aws.String("AQEB")
	operations := map[string]func(s *session, queue *string) error{
		"SendMessage": func(s *session, queue *string) error { return s.send(*queue, "m") },
		"SendMessageBatch": func(s *session, queue *string) error {
			_, err := s.client.SendMessageBatch(s.ctx, &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: entries("a")})
			return err
		},
		"ReceiveMessage": func(s *session, queue *string) error { _, err := s.receive(*queue, atOnce); return err },
		"DeleteMessage":  func(s *session, queue *string) error { return s.remove(*queue, handle) },
		"ChangeMessageVisibility": func(s *session, queue *string) error {
			return s.hide(*queue, handle, 0)
		},
		"GetQueueAttributes": func(s *session, queue *string) error { _, err := s.get(*queue, "All"); return err },
		"SetQueueAttributes": func(s *session, queue *string) error { return s.set(*queue, attributes{"DelaySeconds": "0"}) },
		"DeleteQueue": func(s *session, queue *string) error {
			_, err := s.client.DeleteQueue(s.ctx, &sqs.DeleteQueueInput{QueueUrl: queue})
			return err
		},
		"PurgeQueue": func(s *session, queue *string) error {
			_, err := s.client.PurgeQueue(s.ctx, &sqs.PurgeQueueInput{QueueUrl: queue})
			return err
		},
		"ListQueueTags": func(s *session, queue *string) error {
			_, err := s.client.ListQueueTags(s.ctx, &sqs.ListQueueTagsInput{QueueUrl: queue})
			return err
		},
		"ListDeadLetterSourceQueues": func(s *session, queue *string) error {
			_, err := s.client.ListDeadLetterSourceQueues(s.ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: queue})
			return err
		},
		"GetQueueUrl": func(s *session, queue *string) error {
			_, err := s.client.GetQueueUrl(s.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String((*queue)[strings.LastIndex(*queue, "/")+1:])})
			return err
		},
	}
	var trials []trial
	for name, call := range operations {
		trials = append(trials, trial{"missing queue/" + name, apiReference + name, func(s *session) error {
			queue := s.queue(nil) + "-not"
			err := call(s, &queue)
			if err := refused(err, noQueue); err != nil {
				return err
			}
			return typed[*types.QueueDoesNotExist](err)
		}})
	}
	slices.SortFunc(trials, func(a, b trial) int { return strings.Compare(a.id, b.id) })
	return trials
}

func createAgain(s *session) error {
	queue := s.queue(attributes{"DelaySeconds": "1"})
	name := queue[strings.LastIndex(queue, "/")+1:]
	out, err := s.client.CreateQueue(s.ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes{"DelaySeconds": "1"}})
	if err != nil {
		return err
	}
	return same("URL", queue, *out.QueueUrl)
}

func createOther(s *session) error {
	queue := s.queue(attributes{"DelaySeconds": "1"})
	name := queue[strings.LastIndex(queue, "/")+1:]
	_, err := s.client.CreateQueue(s.ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes{"DelaySeconds": "2"}})
	return refused(err, "QueueAlreadyExists")
}

func createDeleted(s *session) error {
	queue := s.queue(nil)
	name := queue[strings.LastIndex(queue, "/")+1:]
	if _, err := s.client.DeleteQueue(s.ctx, &sqs.DeleteQueueInput{QueueUrl: &queue}); err != nil {
		return err
	}
	_, err := s.client.CreateQueue(s.ctx, &sqs.CreateQueueInput{QueueName: &name})
	return refused(err, "AWS.SimpleQueueService.QueueDeletedRecently")
}

func createFIFO(s *session) error {
	out, err := s.client.CreateQueue(s.ctx, &sqs.CreateQueueInput{QueueName: aws.String(s.name() + ".fifo"), Attributes: attributes{"FifoQueue": "true"}})
	if err == nil {
		s.queues = append(s.queues, *out.QueueUrl)
	}
	return err
}

func urlByName(s *session) error {
	queue := s.queue(nil)
	out, err := s.client.GetQueueUrl(s.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue[strings.LastIndex(queue, "/")+1:])})
	if err != nil {
		return err
	}
	return same("URL", queue, *out.QueueUrl)
}

func arnHasName(s *session) error {
	queue := s.queue(nil)
	arn, err := s.arn(queue)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(arn, "arn:aws:sqs:us-east-1:") || !strings.HasSuffix(arn, ":"+queue[strings.LastIndex(queue, "/")+1:]) {
		return fmt.Errorf("ARN %s of %s", arn, queue)
	}
	return nil
}

func deleteGone(s *session) error {
	queue := s.queue(nil)
	if _, err := s.client.DeleteQueue(s.ctx, &sqs.DeleteQueueInput{QueueUrl: &queue}); err != nil {
		return err
	}
	return refused(s.send(queue, "m"), noQueue)
}

// family makes three queues with a prefix of their own.
func (s *session) family() (prefix string, queues []string) {
	prefix = s.name()
	for _, member := range []string{"-a", "-b", "-c"} {
		out, err := s.client.CreateQueue(s.ctx, &sqs.CreateQueueInput{QueueName: aws.String(prefix + member)})
		if err != nil {
			panic(stuck{err})
		}
		queues = append(queues, *out.QueueUrl)
	}
	s.queues = append(s.queues, queues...)
	return prefix, queues
}

func listByPrefix(s *session) error {
	prefix, want := s.family()
	out, err := s.client.ListQueues(s.ctx, &sqs.ListQueuesInput{QueueNamePrefix: &prefix})
	if err != nil {
		return err
	}
	slices.Sort(out.QueueUrls)
	return same("queues", want, out.QueueUrls)
}

func listPages(s *session) error {
	prefix, want := s.family()
	var got []string
	pages := 0
	in := &sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: aws.Int32(2)}
	for {
		out, err := s.client.ListQueues(s.ctx, in)
		if err != nil {
			return err
		}
		got = append(got, out.QueueUrls...)
		if pages++; out.NextToken == nil || pages > 3 {
			break
		}
		in.NextToken = out.NextToken
	}
	slices.Sort(got)
	if err := same("pages", 2, pages); err != nil {
		return err
	}
	return same("queues", want, got)
}

func purgeEmpties(s *session) error {
	queue := s.queue(nil)
	if err := s.send(queue, "m"); err != nil {
		return err
	}
	if _, err := s.client.PurgeQueue(s.ctx, &sqs.PurgeQueueInput{QueueUrl: &queue}); err != nil {
		return err
	}
	return s.none(queue)
}

func purgeTwice(s *session) error {
	queue := s.queue(nil)
	if _, err := s.client.PurgeQueue(s.ctx, &sqs.PurgeQueueInput{QueueUrl: &queue}); err != nil {
		return err
	}
	_, err := s.client.PurgeQueue(s.ctx, &sqs.PurgeQueueInput{QueueUrl: &queue})
	return refused(err, "AWS.SimpleQueueService.PurgeQueueInProgress")
}

// tags reads a queue's tags.
func (s *session) tags(queue string, want map[string]string) error {
	out, err := s.client.ListQueueTags(s.ctx, &sqs.ListQueueTagsInput{QueueUrl: &queue})
	if err != nil {
		return err
	}
	return same("tags", want, out.Tags)
}

func tagsAtCreation(s *session) error {
	out, err := s.client.CreateQueue(s.ctx, &sqs.CreateQueueInput{QueueName: aws.String(s.name()), Tags: map[string]string{"team": "mill"}})
	if err != nil {
		return err
	}
	s.queues = append(s.queues, *out.QueueUrl)
	return s.tags(*out.QueueUrl, map[string]string{"team": "mill"})
}

func tagsReplaced(s *session) error {
	queue := s.queue(nil)
	for _, tags := range []map[string]string{{"a": "1", "b": "1"}, {"b": "2", "c": "2"}} {
		if _, err := s.client.TagQueue(s.ctx, &sqs.TagQueueInput{QueueUrl: &queue, Tags: tags}); err != nil {
			return err
		}
	}
	return s.tags(queue, map[string]string{"a": "1", "b": "2", "c": "2"})
}

func tagsRemoved(s *session) error {
	queue := s.queue(nil)
	if _, err := s.client.TagQueue(s.ctx, &sqs.TagQueueInput{QueueUrl: &queue, Tags: map[string]string{"a": "1", "b": "1"}}); err != nil {
		return err
	}
	if _, err := s.client.UntagQueue(s.ctx, &sqs.UntagQueueInput{QueueUrl: &queue, TagKeys: []string{"a", "never"}}); err != nil {
		return err
	}
	return s.tags(queue, map[string]string{"b": "1"})
}

func tagsTooMany(s *session) error {
	queue := s.queue(nil)
	tags := map[string]string{}
	for i := range 51 {
		tags[fmt.Sprint("tag", i)] = "v"
	}
	_, err := s.client.TagQueue(s.ctx, &sqs.TagQueueInput{QueueUrl: &queue, Tags: tags})
	return refused(err, badValue)
}
