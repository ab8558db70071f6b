package batch

// Limits of SQS that shape a pack. Source: Amazon SQS Developer Guide, "Message
// quotas" (1 MiB since August 2025) and the SQS pricing page (64 KiB chunks).
const (
	// MaxMessageBytes is the most a message may hold: body plus attribute names,
	// types and values.
	MaxMessageBytes = 1 << 20
	// BillingChunkBytes is the unit in which SQS bills a call's payload.
	BillingChunkBytes = 64 << 10
)

// Limits of the pack format. They bound what a reader must be ready to hold.
const (
	// MaxHeaderBytes bounds the JSON header. Writers stay far below it: the only
	// members without a natural bound are excerpts, which are capped.
	MaxHeaderBytes = 16 << 10
	// MaxSectionBytes bounds the events section after decompression.
	MaxSectionBytes = 16 << 20
	// MaxEvents bounds the events in one pack.
	MaxEvents = 20_000
	// MaxEventBytes bounds one event, fields and data together, where there is no
	// bucket. An event of this size fits a message even when it does not compress.
	MaxEventBytes = MaxMessageBytes - 2*MaxHeaderBytes
	// MaxLargeEventBytes bounds one event where packs that do not fit a message may be
	// checked in. It is what Lambda takes in one payload: an event that comes in without
	// compression cannot be larger. Source: AWS Lambda Developer Guide, "Lambda quotas".
	MaxLargeEventBytes = 6 << 20
	// targetMessageBytes is where a pack is cut when a request needs more than one:
	// four whole billing chunks, so at most a quarter chunk in four is paid for empty.
	targetMessageBytes = 4 * BillingChunkBytes
)

// attribute is the message attribute that holds the events, and its SQS data type.
const (
	AttributeName = "events"
	AttributeType = "Binary"
	attributeCost = len(AttributeName) + len(AttributeType)
)
