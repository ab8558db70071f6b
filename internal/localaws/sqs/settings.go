package sqs

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// settings are the attributes of a queue that its owner can set.
type settings struct {
	// values are the attributes that are set, as GetQueueAttributes shows them; the rest is what of them the queue acts by.
	values                             map[string]string
	visibility, delay, wait, retention time.Duration
	maxMessageBytes                    int
	redrive                            redrivePolicy
	allow                              redriveAllowPolicy
}

// defaultAttributes are all attributes that SetQueueAttributes and CreateQueue take for a standard queue, with AWS's defaults
// ("" for none), from the SetQueueAttributes reference. Those of encryption are kept as they are given: nothing is encrypted.
//
//nolint:gochecknoglobals // a constant table
var defaultAttributes = map[string]string{
	"VisibilityTimeout": "30", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0", "MessageRetentionPeriod": "345600",
	"MaximumMessageSize": "1048576", "Policy": "", "RedrivePolicy": "", "RedriveAllowPolicy": "",
	"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "", "SqsManagedSseEnabled": "true",
}

func isSettable(name string) bool {
	_, ok := defaultAttributes[name]
	return ok
}

//nolint:gochecknoglobals // a constant table
var fifoAttributes = []string{"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

// with sets attributes on a copy of s and returns it: all of them or none. An empty value takes an attribute away.
func (s settings) with(attributes map[string]string) (settings, error) {
	for _, name := range sortedKeys(attributes) {
		switch {
		case slices.Contains(fifoAttributes, name):
			return s, errFIFO()
		case !isSettable(name):
			return s, errAttributeName(name)
		}
	}
	values := maps.Clone(s.values)
	maps.Copy(values, attributes)
	maps.DeleteFunc(values, func(_, value string) bool { return value == "" })
	return readSettings(values)
}

// readSettings finds out what attributes mean.
func readSettings(values map[string]string) (settings, error) {
	s := settings{values: values}
	var problem error
	number := func(name string, least, most int) int {
		n, err := strconv.Atoi(values[name])
		if err != nil || n < least || n > most {
			problem = errAttributeValue(name, values[name])
		}
		return n
	}
	seconds := func(name string, least, most time.Duration) time.Duration {
		return time.Duration(number(name, inSeconds(least), inSeconds(most))) * time.Second
	}
	s.visibility = seconds("VisibilityTimeout", 0, MaxVisibility)
	s.delay = seconds("DelaySeconds", 0, MaxDelay)
	s.wait = seconds("ReceiveMessageWaitTimeSeconds", 0, MaxWait)
	s.retention = seconds("MessageRetentionPeriod", MinRetention, MaxRetention)
	s.maxMessageBytes = number("MaximumMessageSize", MinMessageSizeSetting, MaxMessageBytes)
	if policy := values["Policy"]; policy != "" && !jsontext.Value(policy).IsValid() {
		problem = errAttributeValue("Policy", policy)
	}
	var badRedrive, badAllow error
	s.redrive, badRedrive = readRedrive(values["RedrivePolicy"])
	s.allow, badAllow = readRedriveAllow(values["RedriveAllowPolicy"])
	return s, cmp.Or(problem, badRedrive, badAllow)
}
