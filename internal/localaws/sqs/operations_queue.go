package sqs

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/account"
	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// queueInput has the members of all calls about queues; each call reads its own.
type queueInput struct {
	QueueURL       string `json:"QueueUrl"`
	QueueName      string
	OwnerID        string `json:"QueueOwnerAWSAccountId"`
	Prefix         string `json:"QueueNamePrefix"`
	NextToken      string
	MaxResults     *int
	Attributes     map[string]string
	AttributeNames []string
	// FirstTags are those of CreateQueue, which spells them with a small letter.
	FirstTags map[string]string `json:"tags"`
	Tags      map[string]string
	TagKeys   []string
}

// queueOutput has the members of all replies about queues; what has no value is left out, as AWS does.
type queueOutput struct {
	QueueURL  string   `json:"QueueUrl,omitempty"`
	QueueURLs []string `json:"QueueUrls,omitempty"`
	// SourceURLs are those of ListDeadLetterSourceQueues, which are there when empty, too, and begin with a small letter.
	SourceURLs []string          `json:"queueUrls,omitzero"`
	NextToken  string            `json:",omitempty"`
	Attributes map[string]string `json:",omitempty"`
	Tags       map[string]string `json:",omitempty"`
}

func (s *Service) createQueue(r *http.Request, in queueInput) (queueOutput, error) {
	return queueOutput{QueueURL: queueURL(r.Host, in.QueueName)}, s.create(in)
}

// create makes a queue, unless there is one with the same attributes.
func (s *Service) create(in queueInput) error {
	wanted, err := s.defaults.with(in.Attributes)
	if err := cmp.Or(checkQueueName(in.QueueName), checkTags(in.FirstTags), err); err != nil {
		return err
	}
	return onDisk(s.locked(func(now time.Time) error {
		if q, ok := s.queues[in.QueueName]; ok {
			return q.mustHave(in.Attributes, wanted)
		}
		q := s.newQueue(in.QueueName, now)
		if err := s.checkRedrive(q.arn, wanted); err != nil {
			return err
		}
		if s.journal.Full() {
			return errFull()
		}
		q.settings = wanted
		maps.Copy(q.Tags, in.FirstTags)
		s.queues[q.name] = q
		s.keepQueue(q)
		return nil
	}))
}

// checkQueueName refuses what CreateQueue would refuse.
func checkQueueName(name string) error {
	switch {
	case strings.HasSuffix(name, ".fifo"):
		return errFIFO()
	case !isQueueName(name):
		return errValue("QueueName", name, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	}
	return nil
}

// mustHave refuses to make a queue again with other attributes.
func (q *queue) mustHave(attributes map[string]string, wanted settings) error {
	for _, name := range sortedKeys(attributes) {
		if q.settings.values[name] != wanted.values[name] {
			return awsjson.RefuseAs("QueueNameExists", "QueueAlreadyExists",
				"A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return nil
}

func (s *Service) getQueueURL(r *http.Request, in queueInput) (out queueOutput, err error) {
	if in.OwnerID != "" && in.OwnerID != account.ID {
		return out, errQueue()
	}
	_, err = s.Depth(in.QueueName)
	return queueOutput{QueueURL: queueURL(r.Host, in.QueueName)}, err
}

func (s *Service) listQueues(r *http.Request, in queueInput) (out queueOutput, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out.QueueURLs, out.NextToken, err = s.list(r, in, func(q *queue) bool { return strings.HasPrefix(q.name, in.Prefix) })
	return out, err
}

// listDeadLetterSourceQueues lists the queues whose redrive policy names this one.
func (s *Service) listDeadLetterSourceQueues(c call, in queueInput) (out queueOutput, err error) {
	out.SourceURLs, out.NextToken, err = s.list(c.Request, in, func(q *queue) bool { return q.settings.redrive.targetARN == c.q.arn })
	return out, err
}

// list returns one page of the URLs of the queues that match, in order. A token is the name of the last queue of the page
// before. As with AWS there is a next one only where MaxResults was given.
func (s *Service) list(r *http.Request, in queueInput, match func(q *queue) bool) (urls []string, next string, err error) {
	most := valueOr(in.MaxResults, MaxListResults)
	if err := checkRange("MaxResults", most, 1, MaxListResults); err != nil {
		return nil, "", err
	}
	if in.NextToken != "" && !isQueueName(in.NextToken) {
		return nil, "", errParameter("Invalid or expired next token.")
	}
	names := slices.DeleteFunc(sortedKeys(s.queues), func(name string) bool { return name <= in.NextToken || !match(s.queues[name]) })
	if len(names) > most {
		names = names[:most]
		if in.MaxResults != nil {
			next = names[most-1]
		}
	}
	urls = make([]string, len(names))
	for i, name := range names {
		urls[i] = queueURL(r.Host, name)
	}
	return urls, next, nil
}

func (s *Service) deleteQueue(c call, _ queueInput) (out queueOutput, err error) {
	delete(s.queues, c.q.name)
	c.q.stop()
	s.forgetQueue(c.q)
	return out, nil
}

func (s *Service) purgeQueue(c call, _ queueInput) (out queueOutput, err error) {
	if c.now.UnixNano()-c.q.Purged < int64(PurgeInterval) {
		return out, errLegacy("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every %d seconds.", c.q.name, inSeconds(PurgeInterval))
	}
	c.q.Purged = c.now.UnixNano()
	c.q.purge()
	s.keepQueue(c.q)
	return out, nil
}

func (s *Service) getQueueAttributes(c call, in queueInput) (out queueOutput, err error) {
	out.Attributes = c.q.describe()
	for _, name := range in.AttributeNames {
		if _, ok := out.Attributes[name]; !ok && name != "All" && !isSettable(name) && !slices.Contains(fifoAttributes, name) {
			return out, errAttributeName(name)
		}
	}
	wanted := attributeFilter(in.AttributeNames)
	maps.DeleteFunc(out.Attributes, func(name, _ string) bool { return !wanted.takes(name) })
	return out, nil
}

func (s *Service) setQueueAttributes(c call, in queueInput) (out queueOutput, err error) {
	wanted, err := c.q.settings.with(in.Attributes)
	if err != nil {
		return out, err
	}
	if in.Attributes["RedrivePolicy"] != "" {
		if err := s.checkRedrive(c.q.arn, wanted); err != nil {
			return out, err
		}
	}
	before := c.q.settings.retention
	c.q.settings, c.q.Modified = wanted, c.now.UnixNano()
	if wanted.retention != before {
		c.q.retain()
	}
	s.keepQueue(c.q)
	return out, nil
}

// describe returns all attributes that have a value.
func (q *queue) describe() map[string]string {
	all := maps.Clone(q.settings.values)
	all["QueueArn"] = q.arn
	all["CreatedTimestamp"] = strconv.FormatInt(q.Created/int64(time.Second), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.Modified/int64(time.Second), 10)
	all["ApproximateNumberOfMessages"] = strconv.Itoa(q.count[HeldVisible])
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(q.count[HeldInFlight])
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(q.count[HeldDelayed])
	return all
}
