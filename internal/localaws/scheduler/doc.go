// Package scheduler invokes functions on a schedule, as EventBridge Scheduler does.
//
// An expression is one of
//
//	rate(5 minutes)              every so often; the first time at once, as on AWS without a start date
//	cron(0/15 8-18 ? * MON-FRI *) minutes, hours, day of month, month, day of week, year, in a time zone
//	at(2026-11-21T12:00:00)      once, in a time zone
//
// Local times that daylight saving skips do not happen; those that come twice happen once. The package waits on ordinary timers,
// so testing/synctest drives it through years in no time.
//
// A target that fails is tried again after 1 s, doubling to 5 minutes, 185 times: Scheduler's own retry policy, which is not to be set.
//
// Not emulated: flexible time windows, start and end dates, the 60-second precision (this scheduler is on time), dead-letter
// queues and the CRUD calls of the Scheduler API.
package scheduler
