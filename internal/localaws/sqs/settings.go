package sqs

import (
	"strconv"
	"time"
)

// settings are the attributes of a queue that its owner can set.
type settings struct {
	visibility, delay, wait, retention time.Duration
	maxMessageBytes                    int
	policy                             string
	redrive                            redrivePolicy
	allow                              redriveAllowPolicy
	kmsKey                             string
	kmsReuse                           time.Duration
	managedSSE                         bool
}

// defaultSettings are AWS's, from the SetQueueAttributes reference.
func defaultSettings() settings {
	return settings{
		visibility: 30 * time.Second, retention: 4 * 24 * time.Hour,
		maxMessageBytes: MaxMessageBytes, kmsReuse: 5 * time.Minute, managedSSE: true,
	}
}

// settable is one queue attribute: how it is read and how it is shown.
type settable struct {
	set func(s *settings, name, value string) *Error
	// show returns the value; "" leaves the attribute out of GetQueueAttributes.
	show func(s *settings) string
}

// settables lists every attribute that SetQueueAttributes and CreateQueue take for a standard queue.
func settables() map[string]settable {
	return map[string]settable{
		"VisibilityTimeout":             seconds(func(s *settings) *time.Duration { return &s.visibility }, 0, MaxVisibility),
		"DelaySeconds":                  seconds(func(s *settings) *time.Duration { return &s.delay }, 0, MaxDelay),
		"ReceiveMessageWaitTimeSeconds": seconds(func(s *settings) *time.Duration { return &s.wait }, 0, MaxWait),
		"MessageRetentionPeriod":        seconds(func(s *settings) *time.Duration { return &s.retention }, MinRetention, MaxRetention),
		"MaximumMessageSize":            {setMaxMessageBytes, func(s *settings) string { return strconv.Itoa(s.maxMessageBytes) }},
		"Policy":                        {setPolicy, func(s *settings) string { return s.policy }},
		"RedrivePolicy":                 {setRedrive, func(s *settings) string { return s.redrive.raw }},
		"RedriveAllowPolicy":            {setRedriveAllow, func(s *settings) string { return s.allow.raw }},
		"KmsMasterKeyId":                {setKMSKey, func(s *settings) string { return s.kmsKey }},
		"KmsDataKeyReusePeriodSeconds": {
			seconds(func(s *settings) *time.Duration { return &s.kmsReuse }, time.Minute, 24*time.Hour).set,
			showKMSReuse,
		},
		"SqsManagedSseEnabled": {setManagedSSE, func(s *settings) string { return strconv.FormatBool(s.managedSSE) }},
	}
}

// seconds is an attribute that is a whole number of seconds between two bounds.
func seconds(field func(*settings) *time.Duration, least, most time.Duration) settable {
	return settable{
		set: func(s *settings, name, value string) *Error {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < int64(least/time.Second) || n > int64(most/time.Second) {
				return errAttributeValue(name, value)
			}
			*field(s) = time.Duration(n) * time.Second
			return nil
		},
		show: func(s *settings) string { return wholeSeconds(*field(s)) },
	}
}

func setMaxMessageBytes(s *settings, name, value string) *Error {
	n, err := strconv.Atoi(value)
	if err != nil || n < MinMessageSizeSetting || n > MaxMessageBytes {
		return errAttributeValue(name, value)
	}
	s.maxMessageBytes = n
	return nil
}

// setPolicy keeps an access policy without enforcing it.
func setPolicy(s *settings, name, value string) *Error {
	if value != "" && !isJSONObject(value) {
		return errAttributeValue(name, value)
	}
	s.policy = value
	return nil
}

// setKMSKey keeps a key id; nothing is encrypted in memory. One kind of encryption switches the other off.
func setKMSKey(s *settings, _, value string) *Error {
	s.kmsKey = value
	if value != "" {
		s.managedSSE = false
	}
	return nil
}

func showKMSReuse(s *settings) string {
	if s.kmsKey == "" {
		return ""
	}
	return wholeSeconds(s.kmsReuse)
}

func setManagedSSE(s *settings, name, value string) *Error {
	on, err := strconv.ParseBool(value)
	if err != nil {
		return errAttributeValue(name, value)
	}
	s.managedSSE = on
	if on {
		s.kmsKey = ""
	}
	return nil
}

// apply sets attributes on a copy of s and returns it: all of them or none.
func (s settings) apply(table map[string]settable, attributes map[string]string) (settings, *Error) {
	if attributes["KmsMasterKeyId"] != "" && attributes["SqsManagedSseEnabled"] == "true" {
		return s, refuse("InvalidAttributeName", "InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one time. "+
			"You can either enable KMS SSE or SQS SSE.")
	}
	for _, name := range sortedKeys(attributes) {
		if isFIFOAttribute(name) {
			return s, errFIFO()
		}
		attribute, ok := table[name]
		if !ok {
			return s, errAttributeName(name)
		}
		if err := attribute.set(&s, name, attributes[name]); err != nil {
			return s, err
		}
	}
	return s, nil
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
