package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The environment variables of the functions. The deployment sets all of them, and the
// functions read no others of Millrace's.
const (
	// EnvConfig is the path of millrace.yaml. Default: beside the function's binary.
	EnvConfig = "MILLRACE_CONFIG"
	// EnvQueueURL is the URL of the main queue.
	EnvQueueURL = "MILLRACE_QUEUE_URL"
	// EnvDeadLetterURL is the URL of the dead-letter queue.
	EnvDeadLetterURL = "MILLRACE_DLQ_URL"
	// EnvTable is the DynamoDB table that flushes share to recognise duplicates. Optional:
	// without it, each environment knows only what it delivered itself.
	EnvTable = "MILLRACE_TABLE"
	// EnvBucket is the S3 bucket for the events of packs that are too large for a message.
	// Optional: without it, such events are refused.
	EnvBucket = "MILLRACE_BUCKET"
	// EnvLogLevel is debug, info (default), warn or error.
	EnvLogLevel = "MILLRACE_LOG_LEVEL"
	// EnvAudit is on or off (default): whether ingest logs the id of every event that it
	// accepted, and flush of every one that ends without a delivery, for `millrace audit`.
	EnvAudit = "MILLRACE_AUDIT"
)

// FileName is what the configuration is called where nobody names it.
const FileName = "millrace.yaml"

// Runtime is what a function finds around it.
type Runtime struct {
	Config        *Config
	QueueURL      string
	DeadLetterURL string
	Table         string    // empty for none
	Bucket        string    // empty for none
	Audit         io.Writer // where ids are logged for an audit, nil for nowhere
}

// LoadRuntime reads the environment and the configuration that it names. The error
// joins everything that is missing or wrong. Secrets are not resolved.
func LoadRuntime() (Runtime, error) {
	r := Runtime{
		QueueURL: os.Getenv(EnvQueueURL), DeadLetterURL: os.Getenv(EnvDeadLetterURL),
		Table: os.Getenv(EnvTable), Bucket: os.Getenv(EnvBucket),
	}
	var problems []error
	for name, value := range map[string]string{EnvQueueURL: r.QueueURL, EnvDeadLetterURL: r.DeadLetterURL} {
		if value == "" {
			problems = append(problems, fmt.Errorf("the environment variable %s is not set", name))
		}
	}
	audited, errAudit := isOn(EnvAudit)
	if audited {
		r.Audit = os.Stdout
	}
	path, err := configPath()
	if err == nil {
		r.Config, err = Load(path)
	}
	return r, errors.Join(append(problems, errAudit, err)...)
}

// isOn reads a variable that is on, or off when it is not set.
func isOn(name string) (bool, error) {
	switch value := os.Getenv(name); value {
	case "", "off":
		return false, nil
	case "on":
		return true, nil
	default:
		return false, fmt.Errorf("the environment variable %s is %q, neither on nor off", name, value)
	}
}

func configPath() (string, error) {
	if path := os.Getenv(EnvConfig); path != "" {
		return path, nil
	}
	binary, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find %s: %w", FileName, err)
	}
	return filepath.Join(filepath.Dir(binary), FileName), nil
}
