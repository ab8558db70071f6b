package sqs

import (
	"maps"
	"strconv"
	"time"
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

// defaultAttributes are AWS's, from the SetQueueAttributes reference.
func defaultAttributes() map[string]string {
	return map[string]string{
		"VisibilityTimeout": "30", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0", "MessageRetentionPeriod": "345600",
		"MaximumMessageSize": strconv.Itoa(MaxMessageBytes), kmsReuse: "300", managedSSE: "true",
	}
}

// Encryption is kept and not done. One kind of it switches the other off.
const (
	kmsKey     = "KmsMasterKeyId"
	kmsReuse   = "KmsDataKeyReusePeriodSeconds"
	managedSSE = "SqsManagedSseEnabled"
)

// setter takes in another value of the attribute of that name; an empty one takes it away.
type setter func(s *settings, name, value string) *Error

// settables lists every attribute that SetQueueAttributes and CreateQueue take for a standard queue.
func settables() map[string]setter {
	return map[string]setter{
		"VisibilityTimeout":             seconds(0, MaxVisibility, func(s *settings) *time.Duration { return &s.visibility }),
		"DelaySeconds":                  seconds(0, MaxDelay, func(s *settings) *time.Duration { return &s.delay }),
		"ReceiveMessageWaitTimeSeconds": seconds(0, MaxWait, func(s *settings) *time.Duration { return &s.wait }),
		"MessageRetentionPeriod":        seconds(MinRetention, MaxRetention, func(s *settings) *time.Duration { return &s.retention }),
		"MaximumMessageSize":            number(MinMessageSizeSetting, MaxMessageBytes, func(s *settings, n int) { s.maxMessageBytes = n }),
		"Policy":                        setPolicy,
		"RedrivePolicy":                 setRedrive,
		"RedriveAllowPolicy":            setRedriveAllow,
		kmsKey:                          setKMSKey,
		kmsReuse:                        number(60, 86_400, func(*settings, int) {}),
		managedSSE:                      setManagedSSE,
	}
}

// number is an attribute that is a whole number between two bounds.
func number(least, most int, set func(s *settings, n int)) setter {
	return func(s *settings, name, value string) *Error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return errAttributeValue(name, value)
		}
		s.values[name] = strconv.Itoa(n)
		set(s, n)
		return nil
	}
}

func seconds(least, most time.Duration, field func(*settings) *time.Duration) setter {
	return number(int(least/time.Second), int(most/time.Second), func(s *settings, n int) { *field(s) = time.Duration(n) * time.Second })
}

// setPolicy keeps an access policy without enforcing it.
func setPolicy(_ *settings, name, value string) *Error {
	if value != "" && !isJSONObject(value) {
		return errAttributeValue(name, value)
	}
	return nil
}

func setKMSKey(s *settings, _, value string) *Error {
	if value != "" {
		s.values[managedSSE] = "false"
	}
	return nil
}

func setManagedSSE(s *settings, name, value string) *Error {
	switch value {
	case "true":
		delete(s.values, kmsKey)
	case "false":
	default:
		return errAttributeValue(name, value)
	}
	return nil
}

// apply sets attributes on a copy of s and returns it: all of them or none.
func (s settings) apply(table map[string]setter, attributes map[string]string) (settings, *Error) {
	if attributes[kmsKey] != "" && attributes[managedSSE] == "true" {
		return s, errNamed("InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one time. "+
			"You can either enable KMS SSE or SQS SSE.")
	}
	s.values = maps.Clone(s.values)
	for _, name := range sortedKeys(attributes) {
		set, ok := table[name]
		switch {
		case isFIFOAttribute(name):
			return s, errFIFO()
		case !ok:
			return s, errAttributeName(name)
		}
		s.values[name] = attributes[name]
		if err := set(&s, name, attributes[name]); err != nil {
			return s, err
		}
		if attributes[name] == "" {
			delete(s.values, name)
		}
	}
	return s, nil
}

// shown are the values as GetQueueAttributes shows them.
func (s settings) shown() map[string]string {
	shown := maps.Clone(s.values)
	if shown[kmsKey] == "" {
		delete(shown, kmsReuse)
	}
	return shown
}

func isFIFOAttribute(name string) bool {
	switch name {
	case "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit":
		return true
	}
	return false
}

func errFIFO() *Error {
	return errUnsupported("FIFO queues are not emulated: the embedded SQS has standard queues only, as Millrace uses them.")
}

func wholeSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
