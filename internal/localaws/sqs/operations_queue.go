package sqs

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Service) createQueue(r *http.Request, in createQueueInput) (out queueURLOutput, err error) {
	if err := checkQueueName(in.QueueName); err != nil {
		return out, err
	}
	tags, err := withTags(map[string]string{}, in.Tags)
	if err != nil {
		return out, err
	}
	wanted, refusal := s.defaults.apply(s.settables, in.Attributes)
	if refusal != nil {
		return out, refusal
	}
	err = onDisk(s.locked(func(now time.Time) error {
		if q, ok := s.queues[in.QueueName]; ok {
			return q.mustHave(in.Attributes, wanted)
		}
		return s.addQueue(in.QueueName, now, wanted, tags)
	}))
	return queueURLOutput{s.options.queueURL(r.Host, in.QueueName)}, err
}

// mustHave refuses to make a queue again with other attributes.
func (q *liveQueue) mustHave(attributes map[string]string, wanted settings) error {
	for _, name := range sortedKeys(attributes) {
		if q.settings.values[name] != wanted.values[name] {
			return refuse("QueueNameExists", "QueueAlreadyExists",
				"A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return nil
}

func (s *Service) addQueue(name string, now time.Time, wanted settings, tags map[string]string) error {
	q := s.newLiveQueue(name, now)
	switch err := s.checkRedrive(q.arn, wanted); {
	case err != nil:
		return err
	case s.journal.Full():
		return errFull()
	}
	q.settings, q.tags = wanted, tags
	s.queues[name] = q
	s.keepQueue(q)
	return nil
}

// checkRedrive refuses a dead-letter queue that is not there or does not take letters of that source.
func (s *Service) checkRedrive(sourceARN string, wanted settings) error {
	if wanted.redrive.targetARN == "" {
		return nil
	}
	var reason string
	switch target := s.byARN(wanted.redrive.targetARN); {
	case target == nil:
		reason = "Dead letter target does not exist."
	case target.arn == sourceARN:
		reason = "A queue cannot be its own dead letter target."
	case !target.settings.allow.allows(sourceARN):
		reason = "Dead letter target does not allow redrive from " + sourceARN + "."
	default:
		return nil
	}
	return errPolicy("RedrivePolicy", wanted.values["RedrivePolicy"], reason)
}

func (s *Service) getQueueURL(r *http.Request, in getQueueURLInput) (out queueURLOutput, err error) {
	if in.QueueName == "" {
		return out, errMissing("QueueName")
	}
	if in.OwnerID != "" && in.OwnerID != s.options.AccountID {
		return out, errQueue()
	}
	err = s.withQueue(in.QueueName, func(*liveQueue, time.Time) error { return nil })
	return queueURLOutput{s.options.queueURL(r.Host, in.QueueName)}, err
}

func (s *Service) listQueues(r *http.Request, in listInput) (out listQueuesOutput, err error) {
	out.QueueURLs, out.NextToken, err = s.list(r, in, func(q *liveQueue) bool { return strings.HasPrefix(q.name, in.Prefix) })
	return out, err
}

// listDeadLetterSourceQueues lists the queues whose redrive policy names this one.
func (s *Service) listDeadLetterSourceQueues(r *http.Request, in listInput) (out listSourcesOutput, err error) {
	name, err := s.target(r, in.QueueURL)
	if err != nil {
		return out, err
	}
	if err := s.withQueue(name, func(*liveQueue, time.Time) error { return nil }); err != nil {
		return out, err
	}
	arn := s.options.queueARN(name)
	out.QueueURLs, out.NextToken, err = s.list(r, in, func(q *liveQueue) bool { return q.settings.redrive.targetARN == arn })
	return out, err
}

// list returns one page of the URLs of the queues that match, in order.
func (s *Service) list(r *http.Request, in listInput, match func(q *liveQueue) bool) (urls []string, next string, err error) {
	names, next, err := page(s.queueNames(match), in.NextToken, in.MaxResults)
	urls = make([]string, len(names))
	for i, name := range names {
		urls[i] = s.options.queueURL(r.Host, name)
	}
	return urls, next, err
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

func (s *Service) deleteQueue(r *http.Request, in queueInput) (out emptyOutput, err error) {
	name, err := s.target(r, in.QueueURL)
	if err != nil {
		return out, err
	}
	return out, onDisk(s.locked(func(time.Time) error {
		q, ok := s.queues[name]
		if !ok {
			return errQueue()
		}
		delete(s.queues, name)
		q.stop()
		q.wakeAll()
		s.forgetQueue(q)
		return nil
	}))
}

func (s *Service) purgeQueue(q *liveQueue, now time.Time, _ queueInput) (out emptyOutput, err error) {
	if !q.purged.IsZero() && now.Sub(q.purged) < PurgeInterval {
		return out, errLegacy("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every %s seconds.", q.name, wholeSeconds(PurgeInterval))
	}
	q.purged = now
	q.purge()
	s.keepQueue(q)
	return out, nil
}

func (s *Service) getQueueAttributes(q *liveQueue, _ time.Time, in attributeNamesInput) (out attributesOutput, err error) {
	all := q.describe()
	if slices.Contains(in.AttributeNames, "All") {
		return attributesOutput{all}, nil
	}
	out.Attributes = make(map[string]string, len(in.AttributeNames))
	for _, name := range in.AttributeNames {
		value, ok := all[name]
		if _, known := s.settables[name]; !ok && !known && !isFIFOAttribute(name) {
			return out, errAttributeName(name)
		}
		if ok {
			out.Attributes[name] = value
		}
	}
	return out, nil
}

// describe returns all attributes that have a value.
func (q *liveQueue) describe() map[string]string {
	all := q.settings.shown()
	all["QueueArn"] = q.arn
	all["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
	all["ApproximateNumberOfMessages"] = strconv.Itoa(q.visible)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(q.inFlight)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(q.delayed)
	return all
}

func (s *Service) setAttributes(q *liveQueue, now time.Time, in attributesInput) (out emptyOutput, err error) {
	wanted, refusal := q.settings.apply(s.settables, in.Attributes)
	if refusal != nil {
		return out, refusal
	}
	if in.Attributes["RedrivePolicy"] != "" {
		if err := s.checkRedrive(q.arn, wanted); err != nil {
			return out, err
		}
	}
	before := q.settings.retention
	q.settings, q.modified = wanted, now
	if wanted.retention != before {
		q.retain()
	}
	s.keepQueue(q)
	s.settle(q, now)
	return out, nil
}
