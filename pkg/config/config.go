package config

// Version is the version of the file's shape that this package reads.
const Version = 1

// Config is millrace.yaml. It is read once, checked as a whole and not changed after.
type Config struct {
	// Version of the file's shape: 1.
	Version int `yaml:"version" need:"yes"`
	// Write keys that ingest accepts. At least one.
	Keys []Key `yaml:"keys" need:"some"`
	// Steps between taking an event and making it durable, in this order. Each is one
	// mapping with one key, the kind of step.
	Processors []Processor `yaml:"processors"`
	// Destinations by name; a name is 1 to 64 of a-z, 0-9, "_" and "-". At least one.
	Sinks map[string]Sink `yaml:"sinks" need:"some"`
	// Routes, tried in order: an event goes to the sinks of the first that matches. At
	// least one. An event that none matches is dropped and counted as unrouted, so let
	// the last match everything.
	Routes []Route `yaml:"routes" need:"some"`
	// Bounds of a batch, for every sink that does not set its own.
	Flush Flush `yaml:"flush"`
	// How long and how often a sink is tried, for every sink that does not set its own.
	Retry Retry `yaml:"retry"`
	// What counts as a duplicate, and where it is looked for.
	Dedup Dedup `yaml:"dedup"`

	// file is the name of the file, for messages.
	file string
	// lines has the line of every key path that the file holds.
	lines map[string]int
}

// Key is one write key. The file holds its SHA-256 only.
type Key struct {
	// Name of the key, for people and logs. It is the source of events that name none.
	// Each key has a name of its own.
	Name string `yaml:"name" need:"yes"`
	// SHA-256 of the key in lower-case hex, as `millrace keys hash KEY` prints it.
	SHA256 string `yaml:"sha256" need:"yes"`
	// Tenant that owns the events.
	Tenant string `yaml:"tenant" need:"yes"`
	// Receivers that the key may use. Absent or empty means all.
	Receivers []string `yaml:"receivers"`
}

// The types of a sink.
const (
	SinkHTTP   = "http"
	SinkFile   = "file"
	SinkStdout = "stdout"
)

// Values that change what a key means.
const (
	ModeFailOpen   = "fail_open"
	ReplyJSON      = "json"
	ClassDelivered = "delivered"
	SaveNever      = "never"
)

// SinkTypes returns the types of a sink.
func SinkTypes() []string { return []string{SinkHTTP, SinkFile, SinkStdout} }

// Sink is one destination. Keys that its type does not have are errors.
type Sink struct {
	// What the destination is: an HTTP endpoint, a local file, or the standard output.
	Type string `yaml:"type" need:"yes" enum:"http|file|stdout"`

	// URL that batches are posted to. May hold references to secrets.
	URL Secret `yaml:"url" need:"yes" sinks:"http"`
	// Body of a request: one JSON object per line, or a JSON array.
	Encoding string `yaml:"encoding" default:"ndjson" enum:"ndjson|json" sinks:"http"`
	// Compression of a request's body.
	Compression string `yaml:"compression" default:"gzip" enum:"gzip|zstd|none" sinks:"http"`
	// Level of gzip. Level 6 spends twice the CPU of a flush to save 13 % of the bytes.
	CompressionLevel int `yaml:"compression_level" default:"1" min:"1" max:"9" sinks:"http"`
	// Headers sent with every request. Credentials must be references to secrets.
	Headers map[string]Secret `yaml:"headers" sinks:"http"`
	// Longest that one attempt may take, connecting included.
	Timeout Duration `yaml:"timeout" default:"30s" min:"1ms" max:"10m" sinks:"http"`

	// File that records are appended to, one JSON object per line. Relative paths start
	// at the working directory; directories are made.
	Path string `yaml:"path" need:"yes" sinks:"file"`

	// What a reply means, before the usual rules: the first that fits decides.
	Responses []Response `yaml:"responses" sinks:"http"`
	// Backend behind the URL. Its habits hold after `responses` and before the usual
	// rules: a 409 of kaizen is a delivery, a 400 of loki that says "too long" splits the
	// batch, a 410 of a webhook stops the sink.
	Preset string `yaml:"preset" enum:"posthog|posthog-v1|langfuse|exposures|kaizen|loki|sentry|otlp|segment|bulk|webhook|datadog-logs|splunk" sinks:"http"`
	// Shape of a 2xx reply that answers for each event by itself. Absent means that of the
	// preset's backend; "none" looks at the status only. A reply is read up to 1 MiB,
	// which holds the results of 500 events; those without a result are sent again.
	Results string `yaml:"results" enum:"none|langfuse|bulk|otlp|posthog" sinks:"http"`
	// Whether a 2xx reply that is not JSON, a login page say, counts as a failure of the
	// setup: "json" requires it, "any" does not look.
	Reply string `yaml:"reply" default:"any" enum:"any|json" sinks:"http"`

	// What a failure may cost: of a required sink every event is delivered, waits or
	// becomes a dead letter; a fail_open sink is served with best effort, never delays
	// the others, and what it does not take at once is dropped and counted.
	Mode string `yaml:"mode" default:"required" enum:"required|fail_open"`
	// Bounds of a batch for this sink.
	Flush SinkFlush `yaml:"flush"`
	// How long and how often this sink is tried.
	Retry SinkRetry `yaml:"retry"`
	// How hard this sink may be pressed.
	Limits SinkLimits `yaml:"limits"`
	// When this sink is left alone for a while.
	Breaker Breaker `yaml:"breaker"`
	// Which dead letters are kept, all by default: the first rule that fits decides.
	DeadLetters []DeadLetterRule `yaml:"dead_letters"`
}

// SinkLimits say how hard a sink may be pressed, by one execution environment.
type SinkLimits struct {
	// Most requests at once. Fewer are made while the sink throttles or slows down.
	Concurrency int `yaml:"concurrency" default:"8" min:"1" max:"256"`
	// Most events per second; 0 is no bound.
	EventsPerSecond int `yaml:"events_per_second" default:"0" min:"0" max:"1000000"`
}

// Breaker says when a sink is left alone for a while.
type Breaker struct {
	// Failed requests in a row after which no more are made. A failure of credentials or
	// configuration (class setup) is enough by itself.
	Failures int `yaml:"failures" default:"5" min:"1" max:"1000"`
	// Time until one request tries whether the sink is well again.
	OpenFor Duration `yaml:"open_for" default:"30s" min:"1s" max:"15m"`
}

// Response says what a reply means. All that is set must fit.
type Response struct {
	// Status code, such as 409, a range, 500-599, or a class of codes, 5xx.
	Status Status `yaml:"status"`
	// Name of a header that the reply must have.
	Header string `yaml:"header"`
	// Text that this header must hold.
	HeaderContains string `yaml:"header_contains"`
	// Text that the body must hold.
	BodyContains string `yaml:"body_contains"`
	// What it means: delivered, or why not.
	Class string `yaml:"class" need:"yes" enum:"delivered|transient|throttled|too-large|permanent|setup"`
}

// DeadLetterRule says which dead letters are kept. All that is set must fit.
type DeadLetterRule struct {
	// Why the sink did not take the events.
	Class string `yaml:"class" enum:"transient|throttled|too-large|permanent"`
	// Status code that the sink answered.
	Status Status `yaml:"status"`
	// Whether such letters are kept. Those that are not are counted as rejected.
	Save string `yaml:"save" need:"yes" enum:"always|never"`
}

// Route sends matching events to sinks.
type Route struct {
	// What an event must fit. Absent or empty matches everything.
	Match Match `yaml:"match"`
	// Names of the sinks. An empty list drops the events and counts them as unrouted.
	To []string `yaml:"to" need:"yes"`
}

// Match fits an event when every field that is set fits. Values are texts in which `*`
// stands for any run of characters, and every other character for itself.
type Match struct {
	// Name of the receiver that decoded the event: generic, posthog.
	Receiver string `yaml:"receiver"`
	// Tenant that owns the event.
	Tenant string `yaml:"tenant"`
	// Source of the event; the name of the write key where the protocol has none.
	Source string `yaml:"source"`
	// What happened, in the producer's words: "payment.*".
	Type string `yaml:"type"`
	// Name that a person gave the event, where the protocol has one apart from the type.
	Name string `yaml:"name"`
	// Shape of the data: event, log, span, …
	Kind string `yaml:"kind"`
	// Lower-case severity of a log: error, warn, …
	Severity string `yaml:"severity"`
}

// Flush bounds a batch.
type Flush struct {
	// Most events in one batch.
	MaxEvents int `yaml:"max_events" default:"500" min:"1" max:"10000"`
	// Most bytes in one batch, encoded, before compression.
	MaxBytes Bytes `yaml:"max_bytes" default:"1MiB" min:"1KiB" max:"64MiB"`
	// Longest that an event waits for others, in whole seconds. It is the batching
	// window of the event-source mapping, which AWS bounds at 300 seconds, and so it is
	// one for all sinks.
	MaxAge Duration `yaml:"max_age" default:"2s" min:"0s" max:"300s"`
}

// SinkFlush is what one sink may set of [Flush].
type SinkFlush struct {
	// Most events in one batch.
	MaxEvents int `yaml:"max_events" inherit:"flush.max_events" min:"1" max:"10000"`
	// Most bytes in one batch, encoded, before compression.
	MaxBytes Bytes `yaml:"max_bytes" inherit:"flush.max_bytes" min:"1KiB" max:"64MiB"`
}

// Retry says how a sink is tried again.
type Retry struct {
	// Longest wait inside the function, where waiting is paid for. Longer waits are
	// handed to the queue.
	MaxInlineWait Duration `yaml:"max_inline_wait" default:"5s" min:"0s" max:"5m"`
	// Attempts before an event becomes a dead letter.
	MaxAttempts int `yaml:"max_attempts" default:"12" min:"1" max:"1000"`
	// Time since the first failure before an event becomes a dead letter. SQS keeps a
	// message for 14 days at most.
	MaxAge Duration `yaml:"max_age" default:"24h" min:"1s" max:"336h"`
}

// SinkRetry is [Retry] for one sink.
type SinkRetry struct {
	// Longest wait inside the function. Longer waits are handed to the queue.
	MaxInlineWait Duration `yaml:"max_inline_wait" inherit:"retry.max_inline_wait" min:"0s" max:"5m"`
	// Attempts before an event becomes a dead letter.
	MaxAttempts int `yaml:"max_attempts" inherit:"retry.max_attempts" min:"1" max:"1000"`
	// Time since the first failure before an event becomes a dead letter.
	MaxAge Duration `yaml:"max_age" inherit:"retry.max_age" min:"1s" max:"336h"`
}

// Processor is one step of the pipeline. There is one kind so far.
type Processor struct {
	// Keeps the events of which a field has a certain value.
	Filter Filter `yaml:"filter" need:"yes"`
}

// Filter keeps the events of which a field has a certain value. The client is told that
// it sent the others well; they are counted as filtered and go nowhere.
type Filter struct {
	// Which events the filter looks at; all others pass it. Absent or empty looks at
	// every event. Looking costs ingest 1 to 2 microseconds for 1 KB of data, passing
	// next to nothing.
	Match Match `yaml:"match"`
	// What such an event must say to be kept.
	KeepIf Condition `yaml:"keep_if" need:"yes"`
}

// Condition holds for an event of which a field has a certain value.
type Condition struct {
	// Path of the field in the event's data: names joined by dots, `flag.key`, or a JSON
	// Pointer where a name contains a dot, `/flag.key`. Paths do not lead into lists.
	Field string `yaml:"field" need:"yes"`
	// Value that the field must have, of the same type: a text, a number or true or
	// false. Numbers are compared as they are written, so 1.0 is not 1. A field that is
	// missing or null is the empty text, so it has no other value than "".
	Equals Value `yaml:"equals" need:"yes"`
}

// Dedup says what counts as a duplicate, and where it is looked for. Each layer can be
// switched off; its cost stands beside it, by list prices for a million events of 1 KB sent 50 a
// request (docs/cost.md). The layer that all environments share is the table named
// by the environment variable MILLRACE_TABLE: it belongs to the deployment, so it is not a
// key here. Without it, an environment knows only what it delivered itself.
type Dedup struct {
	// Time in which an event that was delivered is a duplicate. It costs storage in the
	// table, below a cent a month for each million events an hour.
	Window Duration `yaml:"window" default:"1h" min:"1s" max:"168h"`
	// What is remembered for each sink: whole packs, which catches an SDK's repeated
	// request and costs $0.013, a write to the table for each pack and one for each flush; or
	// single events, which also catches an event in other company and costs $0.63, a
	// write for each event. Without a table neither costs anything.
	Scope string `yaml:"scope" default:"pack" enum:"pack|event"`
	// Events whose fields count instead of their id; the first rule that matches does.
	// They are remembered one by one in either scope, so each costs a write to the table
	// for each sink, $0.63 for a million of them, and about 3 microseconds of flush.
	Rules []DedupRule `yaml:"rules"`
	// Whether equal events in different packs of one flush are looked for. With scope
	// event, and of events that a rule matches, they always are. Costs 0.2 microseconds of
	// flush for each event and sink.
	WithinFlush Switch `yaml:"within_flush" default:"on"`
	// Number of delivered keys that a warm environment remembers, to answer for the table:
	// a key is a pack, or an event with scope event or by a rule. Costs about 200 bytes of
	// memory for each, and saves a write for each duplicate that it knows. 0 switches it off.
	Hint int `yaml:"hint" default:"10000" min:"0" max:"1000000"`
	// What happens when the table cannot be reached: open delivers, perhaps twice;
	// closed waits, perhaps long. Neither costs anything more.
	OnStoreFailure string `yaml:"on_store_failure" default:"open" enum:"open|closed"`
}

// DedupRule says that events are the same when some of their fields are.
type DedupRule struct {
	// Which events the rule is for. Absent or empty matches everything.
	Match Match `yaml:"match"`
	// Paths of the fields in the event's data, 1 to 16: names joined by dots,
	// `flag.key`, or a JSON Pointer where a name contains a dot, `/flag.key`. A field
	// that is missing or null counts as the empty text; when all are, the id counts.
	Fields []string `yaml:"fields" need:"some"`
}

// Receivers returns the names of the receivers that a key or a route may name, sorted.
func Receivers() []string { return []string{"generic", "posthog"} }
