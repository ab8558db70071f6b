package millrace

import (
	"cmp"
	"time"

	"github.com/millrace-dev/millrace/pkg/config"
)

// switches of props that are on or off.
const (
	on  = "on"
	off = "off"
)

// The triggers of flush.
const (
	TriggerQueue    = "queue"
	TriggerSchedule = "schedule"
	TriggerBoth     = "both"
)

// What happens to queues and logs when the stack is destroyed.
const (
	RemovalDestroy = "destroy"
	RemovalRetain  = "retain"
)

// visibilityTimeouts is how many flush timeouts a pack stays hidden: AWS advises six,
// plus the window. Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
const visibilityTimeouts = 6

// withDefaults returns the props with every default filled in, in this one place.
func (p BatchExporterProps) withDefaults(stackName string, loaded *config.Config) BatchExporterProps {
	p.DistDir = cmp.Or(p.DistDir, "dist")
	p.Name = cmp.Or(p.Name, stackName)
	p.LogLevel = cmp.Or(p.LogLevel, "info")
	p.API = p.API.withDefaults()
	p.Functions = p.Functions.withDefaults()
	p.Flush = p.Flush.withDefaults(windowOf(loaded))
	p.Queue = p.Queue.withDefaults(p.Flush.Timeout, windowOf(loaded))
	p.Store.Table, p.Store.Bucket = cmp.Or(p.Store.Table, on), cmp.Or(p.Store.Bucket, off)
	p.Replay.Request = cmp.Or(p.Replay.Request, "{}")
	p.Alarms = p.Alarms.withDefaults()
	return p
}

func (p APIProps) withDefaults() APIProps {
	p.Kind = cmp.Or(p.Kind, APIHTTP)
	p.RequestsPerSecond = cmp.Or(p.RequestsPerSecond, 1000)
	p.Burst = cmp.Or(p.Burst, 2000)
	p.AccessLogDays = cmp.Or(p.AccessLogDays, 14)
	return p
}

func (p QueueProps) withDefaults(flushTimeout, window time.Duration) QueueProps {
	p.TLSOnly = cmp.Or(p.TLSOnly, on)
	p.BatchActions = cmp.Or(p.BatchActions, off)
	p.Retention = cmp.Or(p.Retention, 4*24*time.Hour)
	p.DeadLetterRetention = cmp.Or(p.DeadLetterRetention, 14*24*time.Hour)
	p.Visibility = cmp.Or(p.Visibility, visibilityTimeouts*flushTimeout+window)
	p.MaxReceives = cmp.Or(p.MaxReceives, 5)
	return p
}

func (p FunctionProps) withDefaults() FunctionProps {
	p.Architecture = cmp.Or(p.Architecture, ArchitectureARM64)
	p.LogDays = cmp.Or(p.LogDays, 14)
	p.Tracing = cmp.Or(p.Tracing, off)
	p.Audit = cmp.Or(p.Audit, off)
	p.Removal = cmp.Or(p.Removal, RemovalDestroy)
	p.IngestMemoryMB = cmp.Or(p.IngestMemoryMB, 256)
	p.IngestTimeout = cmp.Or(p.IngestTimeout, 15*time.Second)
	p.ReplayMemoryMB = cmp.Or(p.ReplayMemoryMB, 256)
	p.ReplayTimeout = cmp.Or(p.ReplayTimeout, 15*time.Minute)
	return p
}

func (p FlushProps) withDefaults(window time.Duration) FlushProps {
	p.Trigger = cmp.Or(p.Trigger, TriggerQueue)
	p.MemoryMB = cmp.Or(p.MemoryMB, 512)
	p.Timeout = cmp.Or(p.Timeout, 2*time.Minute)
	size := 100
	if window == 0 {
		size = maxBatchWithoutWindow
	}
	p.BatchSize = cmp.Or(p.BatchSize, size)
	p.MaxConcurrency = cmp.Or(p.MaxConcurrency, 10)
	p.Schedule = cmp.Or(p.Schedule, "rate(5 minutes)")
	p.Scheduler = cmp.Or(p.Scheduler, SchedulerService)
	return p
}

func (p AlarmProps) withDefaults() AlarmProps {
	p.RunbookURL = cmp.Or(p.RunbookURL, "https://github.com/millrace-dev/millrace/blob/main/docs/runbooks/")
	p.OldestAge = cmp.Or(p.OldestAge, 15*time.Minute)
	p.ClientErrorPercent = cmp.Or(p.ClientErrorPercent, 20)
	p.Dashboard = cmp.Or(p.Dashboard, on)
	return p
}

// windowOf is the batching window: the longest that an event waits for others.
func windowOf(loaded *config.Config) time.Duration { return loaded.Flush.MaxAge.Std() }
