package millrace

import (
	"time"
)

// The kinds of API.
const (
	// APIHTTP is an API Gateway HTTP API: no stage in the path, a third of REST's price.
	APIHTTP = "http"
	// APIREST is an API Gateway REST API: can have a WAF, runs on every emulator.
	APIREST = "rest"
	// APIFunctionURL is a Lambda function URL: free, but no throttling of its own.
	APIFunctionURL = "function-url"
)

// The services that start a scheduled drain.
const (
	// SchedulerService is EventBridge Scheduler.
	SchedulerService = "scheduler"
	// SchedulerRule is a scheduled EventBridge rule, for emulators whose Scheduler never
	// fires.
	SchedulerRule = "rule"
)

// The architectures of the functions.
const (
	ArchitectureARM64 = "arm64"
	ArchitectureX8664 = "x86_64"
)

// BatchExporterProps is what a deployment may choose. A field that is zero has its
// default; the tables of README.md are made from the comments and tags of this struct.
type BatchExporterProps struct {
	// Path of millrace.yaml. It is checked, shipped beside each function's binary, and
	// decides the batching window, the sinks' alarms and the secrets that may be read.
	ConfigFile string `need:"yes"`
	// Directory of ingest.zip, flush.zip and replay.zip, as `make zip` writes them.
	DistDir string `default:"dist"`
	// Prefix of the names of queues, functions and log groups.
	Name string `default:"the stack's name"`
	// Values of the ${env:NAME} references in the configuration. They stand readable in
	// the template: references to Secrets Manager or SSM are the place for secrets.
	Environment map[string]string
	// Least level of the functions' logs: debug, info, warn or error.
	LogLevel string `default:"info"`

	API       APIProps
	Queue     QueueProps
	Store     StoreProps
	Functions FunctionProps
	Flush     FlushProps
	Replay    ReplayProps
	Alarms    AlarmProps
}

// APIProps shape the front door.
type APIProps struct {
	// Kind of API: http, rest or function-url.
	Kind string `default:"http"`
	// Sustained requests per second before the API answers 429. Not for function-url.
	RequestsPerSecond int `default:"1000"`
	// Requests that may come at once on top of that.
	Burst int `default:"2000"`
	// Days that access logs are kept; -1 writes none. Each request costs a line.
	AccessLogDays int `default:"14"`
	// Domain of the API. Needs CertificateARN; its DNS record is yours to make, from the
	// output DomainTarget. Not for function-url.
	DomainName string
	// Certificate for DomainName, in the stack's region.
	CertificateARN string
	// WAF web ACL in front of the API. Kind rest only: AWS has none for HTTP APIs.
	WebACLARN string
}

// QueueProps shape the main and the dead-letter queue.
type QueueProps struct {
	// KMS key for both queues and the bucket, instead of the keys that SQS and S3 manage
	// for free.
	KeyARN string
	// Whether queues and bucket refuse plain HTTP: on or off. Off is for emulators, whose
	// endpoint is plain HTTP.
	TLSOnly string `default:"on"`
	// How long the main queue keeps a pack: 1m to 336h.
	Retention time.Duration `default:"96h"`
	// How long a dead letter is kept: 1m to 336h.
	DeadLetterRetention time.Duration `default:"336h"`
	// How long a pack that was taken stays hidden. At least six times the flush timeout
	// plus the window, so that no pack is delivered again while it is being delivered.
	Visibility time.Duration `default:"6 x flush timeout + window"`
	// Times that a pack is handed to a flush that crashes before it becomes a dead
	// letter. Throttled invocations count, so a low number dead-letters healthy packs.
	MaxReceives int `default:"5"`
	// Whether batch calls are also granted under names of their own, such as
	// sqs:SendMessageBatch: on or off. AWS has no such names and checks a batch call as
	// the single one; an emulator that enforces IAM may ask for them.
	BatchActions string `default:"off"`
}

// StoreProps say what the functions keep outside the queues.
type StoreProps struct {
	// Whether there is a DynamoDB table in which flushes tell each other what was
	// delivered: on or off. Off, each environment knows only what it delivered itself, and
	// forgets it when it ends. It costs nothing while idle, and a write for each pack.
	Table string `default:"on"`
	// Whether there is an S3 bucket for events over 1 MiB, the size of a message: on or
	// off. Off, they are refused; on, up to 6 MiB are taken, of which Lambda's own limit of
	// a request leaves 4.5 MiB when the API hands over base64.
	Bucket string `default:"off"`
}

// FunctionProps shape the functions.
type FunctionProps struct {
	// Architecture that the zips were built for: arm64 or x86_64.
	Architecture string `default:"arm64"`
	// Days that the functions' logs are kept.
	LogDays int `default:"14"`
	// Whether X-Ray traces the functions: on or off.
	Tracing string `default:"off"`
	// Whether the functions log the id of every event that they accept, for
	// `millrace audit`: on or off. CloudWatch Logs bills about 100 bytes an event then.
	Audit string `default:"off"`
	// Whether log groups, queues and table stay when the stack is destroyed: retain or
	// destroy.
	Removal string `default:"destroy"`

	// Memory of ingest in MB. CPU comes with it.
	IngestMemoryMB int `default:"256"`
	// Longest ingest request. Below the API's own limit of 30s (rest: 29s).
	IngestTimeout time.Duration `default:"15s"`
	// Most ingest environments; 0 sets no bound.
	IngestConcurrency int `default:"0"`
	// Memory of replay in MB.
	ReplayMemoryMB int `default:"256"`
	// Longest replay. It goes on where it stopped when it is invoked again.
	ReplayTimeout time.Duration `default:"15m"`
}

// FlushProps shape the flush function and what starts it.
type FlushProps struct {
	// What starts a flush: queue, when a batch is full or its window over; schedule, at
	// Schedule only; both.
	Trigger string `default:"queue"`
	// Memory of flush in MB.
	MemoryMB int `default:"512"`
	// Longest flush. Longer than the slowest sink's timeout.
	Timeout time.Duration `default:"2m"`
	// Environments set aside for flush; 0 sets none aside. Not below MaxConcurrency.
	Concurrency int `default:"0"`
	// Most packs a flush is given: 1 to 10,000, without a window at most 10.
	BatchSize int `default:"100, or 10 without a window"`
	// Most flushes at once: 2 to 1,000.
	MaxConcurrency int `default:"10"`
	// When the queue is drained: rate(5 minutes) or cron(0 * * * ? *).
	Schedule string `default:"rate(5 minutes)"`
	// What starts a scheduled drain or replay: scheduler or rule.
	Scheduler string `default:"scheduler"`
}

// ReplayProps say whether replay runs by itself.
type ReplayProps struct {
	// When dead letters are replayed, as a Schedule of flush. Empty: when somebody asks.
	Schedule string
	// Request of the scheduled replay, as JSON.
	Request string `default:"{}"`
}

// AlarmProps shape the alarms.
type AlarmProps struct {
	// SNS topic that is told of alarms. Empty: alarms change state and tell nobody.
	TopicARN string
	// Where the runbooks are; the name of one is appended.
	RunbookURL string `default:"https://github.com/millrace-dev/millrace/blob/main/docs/runbooks/"`
	// Age of the oldest pack that is an alarm.
	OldestAge time.Duration `default:"15m"`
	// Share of requests refused with 4xx that is an alarm, in percent; -1 for none.
	ClientErrorPercent int `default:"20"`
	// Whether there is a dashboard: on or off. Three are free, each further one is $3.
	Dashboard string `default:"on"`
}
