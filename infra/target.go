package millrace

import (
	"cmp"
	"fmt"
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
)

// The targets of the app.
const (
	TargetAWS        = "aws"
	TargetLocalStack = "localstack"
	TargetMiniStack  = "ministack"
)

// Targets returns all targets.
func Targets() []string { return []string{TargetAWS, TargetLocalStack, TargetMiniStack} }

// Adapt returns the props for a target: an emulator gets what it can run. Everything that
// differs from AWS is in this function.
func Adapt(target string, props BatchExporterProps) (BatchExporterProps, error) {
	switch target {
	case TargetAWS:
		return props, nil
	case TargetLocalStack, TargetMiniStack:
	default:
		return props, fmt.Errorf("target %q is none of %q", target, Targets())
	}
	// Neither emulator has HTTP APIs without a licence (LocalStack), or tested (MiniStack).
	props.API.Kind = APIREST
	// Access logs of REST need a role of the account, which emulators do not use.
	props.API.AccessLogDays = -1
	// The endpoint is plain HTTP on loopback.
	props.Queue.TLSOnly = off
	// The functions run on this machine.
	props.Functions.Architecture = hostArchitecture()
	// Both ways to start a flush, and soon: to be seen, and because tests wait for them.
	props.Flush.Trigger = cmp.Or(props.Flush.Trigger, TriggerBoth)
	props.Flush.Schedule = cmp.Or(props.Flush.Schedule, "rate(1 minute)")
	if target == TargetMiniStack {
		// While it enforces IAM it checks batch calls under names that AWS does not have.
		props.Queue.BatchActions = on
		// It refuses alarms on metric math.
		props.Alarms.ClientErrorPercent = -1
	}
	if target == TargetLocalStack {
		// It has no DynamoDB without a download of its own.
		props.Store.Table = off
		// LocalStack's Scheduler stores schedules and never fires them.
		props.Flush.Scheduler = SchedulerRule
		// It accepts dashboards with a warning and makes none.
		props.Alarms.Dashboard = off
	}
	return props, nil
}

// hostArchitecture is what this machine's functions are built for.
func hostArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return ArchitectureX8664
	}
	return ArchitectureARM64
}

// Synthesizer is how a stack finds its assets: as the modern bootstrap says, or with the
// credentials of the command line, which MiniStack needs while it enforces IAM.
func Synthesizer(cliCredentials bool) awscdk.IStackSynthesizer {
	if cliCredentials {
		return awscdk.NewCliCredentialsStackSynthesizer(nil)
	}
	return awscdk.NewDefaultStackSynthesizer(nil)
}
