package sqs

import "time"

// The limits of SQS, from the "Amazon SQS quotas" pages of its developer guide (2026) unless said otherwise.
const (
	// MaxMessageBytes bounds one message: body plus names, types and values of its attributes.
	MaxMessageBytes = 1 << 20
	// MaxBatchBytes bounds the sum over all messages of one SendMessageBatch.
	MaxBatchBytes = 1 << 20
	// MaxBatchEntries bounds the entries of every batch call, and the messages of one ReceiveMessage.
	MaxBatchEntries = 10
	// MaxEntryIDLength bounds the id of one batch entry, in characters.
	MaxEntryIDLength = 80
	// MaxAttributes bounds the message attributes of one message.
	MaxAttributes = 10
	// MaxAttributeNameLength bounds an attribute's name, in characters.
	MaxAttributeNameLength = 256
	// MaxDataTypeLength bounds an attribute's data type with its custom suffix, in characters.
	MaxDataTypeLength = 256
	// MaxGroupIDLength bounds MessageGroupId, in characters.
	MaxGroupIDLength = 128
	// MaxQueueNameLength bounds a queue's name, in characters.
	MaxQueueNameLength = 80
	// MaxInFlight bounds the messages of one standard queue that are received and not deleted.
	MaxInFlight = 120_000
	// MaxDelay bounds DelaySeconds of a queue and of a message.
	MaxDelay = 15 * time.Minute
	// MaxVisibility bounds a visibility timeout, counted from the receive.
	MaxVisibility = 12 * time.Hour
	// MaxWait bounds a long poll.
	MaxWait = 20 * time.Second
	// MinRetention and MaxRetention bound MessageRetentionPeriod.
	MinRetention = time.Minute
	// MaxRetention is the upper bound of MessageRetentionPeriod.
	MaxRetention = 14 * 24 * time.Hour
	// MinMessageSizeSetting is the least value of the queue attribute MaximumMessageSize.
	MinMessageSizeSetting = 1024
	// MaxTags bounds the tags of one queue.
	MaxTags = 50
	// MaxReceiveCountSetting is the most that a redrive policy's maxReceiveCount may be.
	MaxReceiveCountSetting = 1000
	// MaxListResults bounds one page of ListQueues and ListDeadLetterSourceQueues.
	MaxListResults = 1000
	// MaxMoveRate bounds MaxNumberOfMessagesPerSecond of a move task, and is its rate when none is given.
	MaxMoveRate = 500
	// PurgeInterval is the least time between two PurgeQueue calls on one queue.
	PurgeInterval = 60 * time.Second

	// MaxDirectReceive bounds one Service.Receive; it is ours, the largest batch of an event-source mapping.
	MaxDirectReceive = 10_000
)
