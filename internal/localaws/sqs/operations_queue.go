package sqs

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

func (s *Service) createQueue(_ context.Context, c call, in *createQueueInput) (*queueURLOutput, error) {
	if err := checkQueueName(in.QueueName); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags, 0); err != nil {
		return nil, err
	}
	wanted, refusal := defaultSettings().apply(s.settables, in.Attributes)
	if refusal != nil {
		return nil, refusal
	}
	if err := onDisk(s.addQueue(in, wanted)); err != nil {
		return nil, err
	}
	return &queueURLOutput{s.options.queueURL(c.host, in.QueueName)}, nil
}

// addQueue makes a queue with checked settings, unless there is one that has them.
func (s *Service) addQueue(in *createQueueInput, wanted settings) (ticket *journal.Ticket, err error) {
	s.mu.Lock()
	defer func() { ticket = s.unlock() }()
	if err := s.journal.Err(); err != nil {
		return nil, errStopped(err)
	}
	if q, ok := s.queues[in.QueueName]; ok {
		for _, name := range sortedKeys(in.Attributes) {
			if s.settables[name].show(&q.settings) != s.settables[name].show(&wanted) {
				return nil, errQueueExists(name)
			}
		}
		return ticket, nil
	}
	q := s.newLiveQueue(in.QueueName, time.Now())
	switch err := s.checkRedrive(q.arn, wanted.redrive); {
	case err != nil:
		return nil, err
	case s.journal.Full():
		return nil, errFull()
	}
	q.settings = wanted
	maps.Copy(q.tags, in.Tags)
	s.queues[in.QueueName] = q
	s.keepQueue(q)
	return ticket, nil
}

// checkRedrive refuses a dead-letter queue that is not there or does not take letters of that source.
func (s *Service) checkRedrive(sourceARN string, policy redrivePolicy) error {
	if policy.targetARN == "" {
		return nil
	}
	target := s.byARN(policy.targetARN)
	switch {
	case target == nil:
		return errPolicy("RedrivePolicy", policy.raw, "Dead letter target does not exist.")
	case target.arn == sourceARN:
		return errPolicy("RedrivePolicy", policy.raw, "A queue cannot be its own dead letter target.")
	case !target.settings.allow.allows(sourceARN):
		return errPolicy("RedrivePolicy", policy.raw, "Dead letter target does not allow redrive from "+sourceARN+".")
	}
	return nil
}

func (s *Service) getQueueURL(_ context.Context, c call, in *getQueueURLInput) (*queueURLOutput, error) {
	if in.QueueName == "" {
		return nil, errMissing("QueueName")
	}
	if in.OwnerID != "" && in.OwnerID != s.options.AccountID {
		return nil, errQueue()
	}
	err := s.withQueue(in.QueueName, func(*liveQueue, time.Time) error { return nil })
	return &queueURLOutput{s.options.queueURL(c.host, in.QueueName)}, err
}

func (s *Service) listQueues(_ context.Context, c call, in *listQueuesInput) (*listQueuesOutput, error) {
	names := s.queueNames(func(q *liveQueue) bool { return strings.HasPrefix(q.name, in.Prefix) })
	names, next, err := page(names, in.NextToken, in.MaxResults)
	return &listQueuesOutput{s.urls(c, names), next}, err
}

// listDeadLetterSourceQueues lists the queues whose redrive policy names this one.
func (s *Service) listDeadLetterSourceQueues(_ context.Context, c call, in *listSourcesInput) (*listSourcesOutput, error) {
	name, err := s.target(c, in.queueInput)
	if err != nil {
		return nil, err
	}
	if err := s.withQueue(name, func(*liveQueue, time.Time) error { return nil }); err != nil {
		return nil, err
	}
	arn := s.options.queueARN(name)
	names := s.queueNames(func(q *liveQueue) bool { return q.settings.redrive.targetARN == arn })
	names, next, err := page(names, in.NextToken, in.MaxResults)
	return &listSourcesOutput{s.urls(c, names), next}, err
}

// queueNames returns the names of the queues that match, in order.
func (s *Service) queueNames(match func(q *liveQueue) bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, q := range s.queues {
		if match(q) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *Service) urls(c call, names []string) []string {
	urls := make([]string, len(names))
	for i, name := range names {
		urls[i] = s.options.queueURL(c.host, name)
	}
	return urls
}

// page cuts ordered names to what follows the token. As with AWS there is a next token only where MaxResults was given.
func page(names []string, token string, maxResults *int) (cut []string, next string, err error) {
	most := valueOr(maxResults, MaxListResults)
	if most < 1 || most > MaxListResults {
		return nil, "", errRange("MaxResults", int64(most), 1, MaxListResults)
	}
	if token != "" {
		after, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return nil, "", errParameter("Invalid or expired next token.")
		}
		first, _ := slices.BinarySearch(names, string(after)+"\x00")
		names = names[first:]
	}
	if len(names) > most {
		names = names[:most]
		if maxResults != nil {
			next = base64.URLEncoding.EncodeToString([]byte(names[most-1]))
		}
	}
	return names, next, nil
}

func (s *Service) deleteQueue(_ context.Context, c call, in *queueInput) (*emptyOutput, error) {
	name, err := s.target(c, *in)
	if err != nil {
		return nil, err
	}
	return &emptyOutput{}, onDisk(s.dropQueue(name))
}

// dropQueue forgets a queue and everything in it.
func (s *Service) dropQueue(name string) (ticket *journal.Ticket, err error) {
	s.mu.Lock()
	defer func() { ticket = s.unlock() }()
	if err := s.journal.Err(); err != nil {
		return nil, errStopped(err)
	}
	q, ok := s.queues[name]
	if !ok {
		return nil, errQueue()
	}
	delete(s.queues, name)
	q.stop()
	q.wakeAll()
	s.forgetQueue(q)
	return ticket, nil
}

func (s *Service) purgeQueue(_ context.Context, c call, in *queueInput) (*emptyOutput, error) {
	return changeTarget(s, c, *in, func(q *liveQueue, now time.Time) (*emptyOutput, error) {
		if !q.purged.IsZero() && now.Sub(q.purged) < PurgeInterval {
			return nil, errPurging(q.name)
		}
		q.purged = now
		q.purge()
		s.keepQueue(q)
		return &emptyOutput{}, nil
	})
}

// withTarget runs fn under the lock on the queue that a call names.
func withTarget[Out any](s *Service, c call, in queueInput, fn func(q *liveQueue, now time.Time) (Out, error)) (out Out, err error) {
	name, err := s.target(c, in)
	if err != nil {
		return out, err
	}
	err = s.withQueue(name, func(q *liveQueue, now time.Time) (err error) {
		out, err = fn(q, now)
		return err
	})
	return out, err
}

// changeTarget is withTarget for what the client may rely on.
func changeTarget[Out any](s *Service, c call, in queueInput, fn func(q *liveQueue, now time.Time) (Out, error)) (out Out, err error) {
	name, err := s.target(c, in)
	if err != nil {
		return out, err
	}
	err = s.change(name, func(q *liveQueue, now time.Time) (err error) {
		out, err = fn(q, now)
		return err
	})
	return out, err
}

func (s *Service) getQueueAttributes(_ context.Context, c call, in *getAttributesInput) (*getAttributesOutput, error) {
	return withTarget(s, c, in.queueInput, func(q *liveQueue, _ time.Time) (*getAttributesOutput, error) {
		all := s.describe(q)
		if slices.Contains(in.AttributeNames, "All") {
			return &getAttributesOutput{all}, nil
		}
		chosen := make(map[string]string, len(in.AttributeNames))
		for _, name := range in.AttributeNames {
			value, ok := all[name]
			if _, known := s.settables[name]; !ok && !known && !isFIFOAttribute(name) {
				return nil, errAttributeName(name)
			}
			if ok {
				chosen[name] = value
			}
		}
		return &getAttributesOutput{chosen}, nil
	})
}

// describe returns all attributes that have a value.
func (s *Service) describe(q *liveQueue) map[string]string {
	all := map[string]string{
		"QueueArn":                              q.arn,
		"CreatedTimestamp":                      strconv.FormatInt(q.created.Unix(), 10),
		"LastModifiedTimestamp":                 strconv.FormatInt(q.modified.Unix(), 10),
		"ApproximateNumberOfMessages":           strconv.Itoa(q.visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(q.inFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(q.delayed),
	}
	for name, attribute := range s.settables {
		if value := attribute.show(&q.settings); value != "" {
			all[name] = value
		}
	}
	return all
}

func (s *Service) setQueueAttributes(_ context.Context, c call, in *setAttributesInput) (*emptyOutput, error) {
	return changeTarget(s, c, in.queueInput, func(q *liveQueue, now time.Time) (*emptyOutput, error) {
		wanted, refusal := q.settings.apply(s.settables, in.Attributes)
		if refusal != nil {
			return nil, refusal
		}
		if err := s.checkRedrive(q.arn, wanted.redrive); in.Attributes["RedrivePolicy"] != "" && err != nil {
			return nil, err
		}
		retention := wanted.retention
		wanted.retention = q.settings.retention
		q.settings = wanted
		if retention != wanted.retention {
			q.retain(retention)
		}
		q.modified = now
		s.keepQueue(q)
		s.settle(q, now)
		return &emptyOutput{}, nil
	})
}
