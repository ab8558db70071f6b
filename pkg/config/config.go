package config

import "time"

// Config is millrace.yaml. It is read once, checked as a whole and not changed after.
type Config struct {
	// Version of the file's shape: 1.
	Version int `yaml:"version"`
	// Keys are the write keys that ingest accepts. At least one.
	Keys []Key `yaml:"keys"`
	// Sinks by name. At least one.
	Sinks map[string]Sink `yaml:"sinks"`
	// Routes are tried in order: an event goes to the sinks of the first that matches.
	// At least one; the last should match everything.
	Routes []Route `yaml:"routes"`
	// Flush bounds a batch for every sink that does not say otherwise.
	Flush Flush `yaml:"flush"`
	// Retry says how long and how often a sink is tried.
	Retry Retry `yaml:"retry"`
	// Dedup says what counts as a duplicate.
	Dedup Dedup `yaml:"dedup"`
}

// Key is one write key. The file holds its SHA-256 only.
type Key struct {
	// Name of the key, for people and logs; it is the source of events that name none.
	Name string `yaml:"name"`
	// SHA256 of the key in hex: `millrace keys hash KEY`.
	SHA256 string `yaml:"sha256"`
	// Tenant that owns the events.
	Tenant string `yaml:"tenant"`
	// Receivers the key may use. Empty means all.
	Receivers []string `yaml:"receivers"`
}

// Sink is one destination. Fields that its type does not have are errors.
type Sink struct {
	// Type: http, file or stdout.
	Type string `yaml:"type"`

	// URL that batches are posted to (http).
	URL Secret `yaml:"url"`
	// Encoding of a batch (http): ndjson (default) or json, an array.
	Encoding string `yaml:"encoding"`
	// Compression of a request (http): gzip (default), zstd or none.
	Compression string `yaml:"compression"`
	// CompressionLevel of gzip (http), 1 to 9. Default 1: at level 6 a flush spends
	// twice the CPU to save 13 % of the bytes.
	CompressionLevel int `yaml:"compression_level"`
	// Headers sent with every request (http). Values may be references to secrets.
	Headers map[string]Secret `yaml:"headers"`
	// Timeout of one attempt (http). Default 30s.
	Timeout Duration `yaml:"timeout"`

	// Path of the file that records are appended to (file).
	Path string `yaml:"path"`

	// Flush overrides the limits of a batch for this sink.
	Flush Flush `yaml:"flush"`
	// Retry overrides the retry policy for this sink.
	Retry Retry `yaml:"retry"`
}

// Route sends matching events to sinks.
type Route struct {
	// Match is what an event must fit. Empty matches everything.
	Match Match `yaml:"match"`
	// To names the sinks. Empty drops the events, counted as filtered.
	To []string `yaml:"to"`
}

// Match fits an event when every field that is set fits. Values are names, in which
// `*` stands for any characters.
type Match struct {
	Receiver string `yaml:"receiver"`
	Tenant   string `yaml:"tenant"`
	Source   string `yaml:"source"`
	Type     string `yaml:"type"`
	Name     string `yaml:"name"`
	Kind     string `yaml:"kind"`
	Severity string `yaml:"severity"`
}

// Flush bounds one batch to a sink.
type Flush struct {
	// MaxEvents in a batch. Default 500.
	MaxEvents int `yaml:"max_events"`
	// MaxBytes of a batch, encoded, before compression. Default 1MiB.
	MaxBytes Bytes `yaml:"max_bytes"`
	// MaxAge is how long an event may wait for others: the batching window of the
	// event-source mapping, in whole seconds up to 300. Default 2s. Not per sink.
	MaxAge Duration `yaml:"max_age"`
}

// Retry says how a sink is tried again. See pkg/retry for what each does.
type Retry struct {
	// MaxInlineWait is the longest wait inside the function; longer ones are handed to
	// the queue. Default 5s.
	MaxInlineWait Duration `yaml:"max_inline_wait"`
	// MaxAttempts before an event becomes a dead letter. Default 12.
	MaxAttempts int `yaml:"max_attempts"`
	// MaxAge since the first failure before an event becomes a dead letter. Default 24h.
	MaxAge Duration `yaml:"max_age"`
}

// Dedup says what counts as a duplicate.
type Dedup struct {
	// Window in which an event that was seen is a duplicate. Default 1h.
	Window Duration `yaml:"window"`
	// Scope of what the store remembers: pack (default) or event.
	Scope string `yaml:"scope"`
	// OnStoreFailure: open (default) delivers, perhaps twice; closed waits.
	OnStoreFailure string `yaml:"on_store_failure"`
}

// Duration is a time.Duration written as "5s", "1h30m".
type Duration time.Duration

// Bytes is a size written as a number of bytes or as "512KiB", "1MiB".
type Bytes int
