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

// Encryption is kept and not done. One kind of it switches the other off.
const (
	kmsKey     = "KmsMasterKeyId"
	kmsReuse   = "KmsDataKeyReusePeriodSeconds"
	managedSSE = "SqsManagedSseEnabled"
)

// defaultAttributes are all attributes that SetQueueAttributes and CreateQueue take for a standard queue, with AWS's defaults
// ("" for none), from the SetQueueAttributes reference.
//
//nolint:gochecknoglobals // a constant table
var defaultAttributes = map[string]string{
	"VisibilityTimeout": "30", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0", "MessageRetentionPeriod": "345600",
	"MaximumMessageSize": "1048576", "Policy": "", "RedrivePolicy": "", "RedriveAllowPolicy": "", kmsKey: "", kmsReuse: "300", managedSSE: "true",
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
	switch toKMS, toManaged := attributes[kmsKey] != "", attributes[managedSSE] == "true"; {
	case toKMS && toManaged:
		return s, errNamed("InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one time. "+
			"You can either enable KMS SSE or SQS SSE.")
	case toKMS:
		values[managedSSE] = "false"
	case toManaged:
		delete(values, kmsKey)
	}
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
	number(kmsReuse, 60, 86_400)
	if managed := values[managedSSE]; managed != "true" && managed != "false" {
		problem = errAttributeValue(managedSSE, values[managedSSE])
	}
	var badRedrive, badAllow error
	s.redrive, badRedrive = readRedrive(values["RedrivePolicy"])
	s.allow, badAllow = readRedriveAllow(values["RedriveAllowPolicy"])
	return s, cmp.Or(problem, checkPolicy(values["Policy"]), badRedrive, badAllow)
}

// checkPolicy refuses an access policy that is no JSON object. What it says is not enforced.
func checkPolicy(text string) error {
	if policy := jsontext.Value(text); text == "" || policy.IsValid() && policy.Kind() == '{' {
		return nil
	}
	return errAttributeValue("Policy", text)
}
