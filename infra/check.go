package millrace

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/pkg/config"
)

// Limits of AWS that are checked before it is asked. Sources: AWS Lambda Developer Guide,
// "Lambda quotas" and "Creating an SQS event source mapping"; Amazon SQS Developer Guide,
// "Queue quotas"; Amazon API Gateway Developer Guide, "Quotas".
const (
	maxFunctionTimeout    = 15 * time.Minute
	minMemoryMB           = 128
	maxMemoryMB           = 10240
	maxBatchSize          = 10000
	maxBatchWithoutWindow = 10
	minMaxConcurrency     = 2
	maxMaxConcurrency     = 1000
	maxVisibility         = 12 * time.Hour
	minRetention          = time.Minute
	maxRetention          = 14 * 24 * time.Hour
	maxReceiveCount       = 1000
	httpAPITimeout        = 30 * time.Second
	restAPITimeout        = 29 * time.Second
	maxFunctionName       = 64
)

// longestSuffix is the longest that is appended to Name where a function's name is made.
const longestSuffix = "-ingest"

var (
	namePattern     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
	secretPattern   = regexp.MustCompile(`^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6}$`)
	schedulePattern = regexp.MustCompile(`^(rate\([1-9][0-9]* (minute|minutes|hour|hours|day|days)\)|cron\(([^ ]+ ){5}[^ ]+\))$`)
)

// CheckStackName refuses what CloudFormation, or the names that are made of it, refuse.
func CheckStackName(name string) error {
	c := &checker{}
	c.checkName("the stack's name", name)
	return errors.Join(c.problems...)
}

func (c *checker) checkName(what, name string) {
	c.require(namePattern.MatchString(name), "%s: %q is not letters, digits and hyphens after a letter (CloudFormation, SQS and Lambda names)", what, name)
	longest := name + longestSuffix
	c.require(len(longest) <= maxFunctionName, "%s: %q is too long: %q has more than %d characters (Lambda)", what, name, longest, maxFunctionName)
}

// checker collects what is wrong.
type checker struct{ problems []error }

func (c *checker) require(ok bool, format string, args ...any) {
	if !ok {
		c.problems = append(c.problems, fmt.Errorf(format, args...))
	}
}

func (c *checker) oneOf(name, value string, allowed ...string) {
	c.require(slices.Contains(allowed, value), "%s: %q is none of %q", name, value, allowed)
}

func (c *checker) between(name string, value, least, most int, rule string) {
	c.require(value >= least && value <= most, "%s: %d is not %d to %d (%s)", name, value, least, most, rule)
}

func (c *checker) lasting(name string, value, least, most time.Duration, rule string) {
	c.require(value >= least && value <= most, "%s: %v is not %v to %v (%s)", name, value, least, most, rule)
	c.require(value%time.Second == 0, "%s: %v is not a whole number of seconds (%s)", name, value, rule)
}

// check returns everything that AWS would refuse, or that cannot work, with its rule. The
// props have their defaults.
func check(p *BatchExporterProps, loaded *config.Config) error {
	c := &checker{}
	c.checkName("Name", p.Name)
	c.oneOf("LogLevel", p.LogLevel, "debug", "info", "warn", "error")
	c.checkAPI(&p.API, p.Functions.IngestTimeout)
	c.checkQueue(&p.Queue, p.Flush.Timeout, windowOf(loaded))
	c.oneOf("Store.Table", p.Store.Table, on, off)
	c.oneOf("Store.Bucket", p.Store.Bucket, on, off)
	c.checkFunctions(&p.Functions)
	c.checkFlush(&p.Flush, loaded)
	c.checkReplay(&p.Replay)
	c.checkAlarms(&p.Alarms)
	c.checkEnvironment(p.Environment, loaded)
	c.checkSecrets(loaded)
	return errors.Join(c.problems...)
}

func (c *checker) checkAPI(p *APIProps, ingestTimeout time.Duration) {
	c.oneOf("API.Kind", p.Kind, APIHTTP, APIREST, APIFunctionURL)
	c.require(p.RequestsPerSecond > 0 && p.Burst > 0, "API.RequestsPerSecond and API.Burst must be above 0")
	c.require((p.DomainName == "") == (p.CertificateARN == ""), "API.DomainName and API.CertificateARN need each other")
	c.require(p.DomainName == "" || p.Kind != APIFunctionURL, "API.DomainName: a function URL has no domain of its own; choose API.Kind http or rest")
	c.require(p.WebACLARN == "" || p.Kind == APIREST, "API.WebACLARN: AWS WAF takes REST APIs only; choose API.Kind rest")
	limit := maxFunctionTimeout
	switch p.Kind {
	case APIHTTP:
		limit = httpAPITimeout
	case APIREST:
		limit = restAPITimeout
	}
	c.lasting("Functions.IngestTimeout", ingestTimeout, time.Second, limit, "the longest that an API of kind "+p.Kind+" waits")
	c.logDays("API.AccessLogDays", max(p.AccessLogDays, 1))
}

func (c *checker) checkQueue(p *QueueProps, flushTimeout, window time.Duration) {
	c.oneOf("Queue.TLSOnly", p.TLSOnly, on, off)
	c.oneOf("Queue.BatchActions", p.BatchActions, on, off)
	c.lasting("Queue.Retention", p.Retention, minRetention, maxRetention, "SQS")
	c.lasting("Queue.DeadLetterRetention", p.DeadLetterRetention, minRetention, maxRetention, "SQS")
	least := visibilityTimeouts*flushTimeout + window
	c.lasting("Queue.Visibility", p.Visibility, least, maxVisibility,
		"SQS; six times the flush timeout plus the window, as Lambda advises for event-source mappings")
	c.require(p.DeadLetterRetention >= p.Retention,
		"Queue.DeadLetterRetention: %v is below Queue.Retention, %v; SQS counts a letter's age from the first send, so it would be lost",
		p.DeadLetterRetention, p.Retention)
	c.between("Queue.MaxReceives", p.MaxReceives, 1, maxReceiveCount, "SQS maxReceiveCount")
}

func (c *checker) checkFunctions(p *FunctionProps) {
	c.oneOf("Functions.Architecture", p.Architecture, ArchitectureARM64, ArchitectureX8664)
	c.oneOf("Functions.Tracing", p.Tracing, on, off)
	c.oneOf("Functions.Audit", p.Audit, on, off)
	c.oneOf("Functions.Removal", p.Removal, RemovalDestroy, RemovalRetain)
	c.logDays("Functions.LogDays", p.LogDays)
	c.between("Functions.IngestMemoryMB", p.IngestMemoryMB, minMemoryMB, maxMemoryMB, "Lambda")
	c.between("Functions.ReplayMemoryMB", p.ReplayMemoryMB, minMemoryMB, maxMemoryMB, "Lambda")
	c.require(p.IngestConcurrency >= 0, "Functions.IngestConcurrency must not be negative")
	c.lasting("Functions.ReplayTimeout", p.ReplayTimeout, time.Second, maxFunctionTimeout, "Lambda")
}

func (c *checker) checkFlush(p *FlushProps, loaded *config.Config) {
	window := windowOf(loaded)
	c.oneOf("Flush.Trigger", p.Trigger, TriggerQueue, TriggerSchedule, TriggerBoth)
	c.oneOf("Flush.Scheduler", p.Scheduler, SchedulerService, SchedulerRule)
	c.between("Flush.MemoryMB", p.MemoryMB, minMemoryMB, maxMemoryMB, "Lambda")
	c.lasting("Flush.Timeout", p.Timeout, time.Second, maxFunctionTimeout, "Lambda")
	c.between("Flush.BatchSize", p.BatchSize, 1, maxBatchSize, "Lambda event-source mapping")
	c.require(p.BatchSize <= maxBatchWithoutWindow || window >= time.Second,
		"Flush.BatchSize: %d packs need a window of a second at least; raise flush.max_age in %s or stay within %d (Lambda event-source mapping)",
		p.BatchSize, config.FileName, maxBatchWithoutWindow)
	c.require(window%time.Second == 0, "flush.max_age: %v is not a whole number of seconds (Lambda event-source mapping window)", window)
	c.between("Flush.MaxConcurrency", p.MaxConcurrency, minMaxConcurrency, maxMaxConcurrency, "Lambda event-source mapping")
	c.require(p.Concurrency == 0 || p.Concurrency >= p.MaxConcurrency,
		"Flush.Concurrency: %d is below Flush.MaxConcurrency, %d; the difference would be throttled and dead-lettered (Lambda)",
		p.Concurrency, p.MaxConcurrency)
	c.require(schedulePattern.MatchString(p.Schedule), "Flush.Schedule: %q is neither rate(5 minutes) nor cron(0 * * * ? *)", p.Schedule)
	for _, name := range slices.Sorted(maps.Keys(loaded.Sinks)) {
		timeout := loaded.Sinks[name].Timeout.Std()
		c.require(timeout < p.Timeout, "sinks.%s.timeout: %v does not fit into Flush.Timeout, %v", name, timeout, p.Timeout)
	}
}

func (c *checker) checkReplay(p *ReplayProps) {
	var request map[string]any
	c.require(json.Unmarshal([]byte(p.Request), &request) == nil, "Replay.Request: %s is not a JSON object", p.Request)
	c.require(p.Schedule == "" || schedulePattern.MatchString(p.Schedule), "Replay.Schedule: %q is neither rate(5 minutes) nor cron(0 * * * ? *)", p.Schedule)
}

func (c *checker) checkAlarms(p *AlarmProps) {
	c.oneOf("Alarms.Dashboard", p.Dashboard, on, off)
	c.require(p.OldestAge >= time.Minute, "Alarms.OldestAge: %v is below a minute", p.OldestAge)
	c.between("Alarms.ClientErrorPercent", max(p.ClientErrorPercent, 1), 1, 100, "a share")
}

func (c *checker) logDays(name string, days int) {
	_, ok := retentionDays[days]
	c.require(ok, "%s: CloudWatch keeps logs for %v days, not %d", name, slices.Sorted(maps.Keys(retentionDays)), days)
}

func (c *checker) checkEnvironment(given map[string]string, loaded *config.Config) {
	for _, r := range references(loaded, config.SchemeEnv) {
		c.require(given[r.Name] != "", "%s is not known at deployment: give it in Environment, or move the secret to ${secret:…} or ${ssm:…}", r)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		c.require(!slices.Contains(ownVariables(), name), "Environment: %s is set by the construct", name)
	}
}

// checkSecrets wants whole ARNs: a policy that names a secret by less allows nothing.
func (c *checker) checkSecrets(loaded *config.Config) {
	for _, r := range references(loaded, config.SchemeSecret) {
		arn, _, _ := strings.Cut(r.Name, "#")
		c.require(secretPattern.MatchString(arn), "%s: %q is not the whole ARN of a secret, with the six characters at its end (IAM)", r, arn)
	}
}
