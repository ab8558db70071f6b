//nolint:paralleltest // CDK is one Node process, which answers one at a time
package millrace

import (
	"debug/elf"
	"reflect"
	"testing"
	"time"
)

// propRows say where each prop ends up in the template, with its default and with another
// value.
var propRows = []struct {
	prop       string
	kind, id   string
	path       string
	whenUnset  string
	change     func(*BatchExporterProps)
	whenChange string
}{
	{"Name", "AWS::SQS::Queue", "Queue", "Properties.QueueName", `"millrace"`, func(p *BatchExporterProps) { p.Name = "other" }, `"other"`},
	{"Environment", "AWS::Lambda::Function", "Flush", "Properties.Environment.Variables.PREVIEW_URL", `"https://preview.example"`, func(p *BatchExporterProps) { p.Environment["PREVIEW_URL"] = "https://b.example" }, `"https://b.example"`},
	{"LogLevel", "AWS::Lambda::Function", "Flush", "Properties.LoggingConfig.ApplicationLogLevel", `"INFO"`, func(p *BatchExporterProps) { p.LogLevel = "debug" }, `"DEBUG"`},
	{"API.Kind", "AWS::ApiGatewayV2::Api", "", "Properties.ProtocolType", `"HTTP"`, func(p *BatchExporterProps) { p.API.Kind = APIREST }, ""},
	{"API.RequestsPerSecond", "AWS::ApiGatewayV2::Stage", "", "Properties.DefaultRouteSettings.ThrottlingRateLimit", "1000", func(p *BatchExporterProps) { p.API.RequestsPerSecond = 5 }, "5"},
	{"API.Burst", "AWS::ApiGatewayV2::Stage", "", "Properties.DefaultRouteSettings.ThrottlingBurstLimit", "2000", func(p *BatchExporterProps) { p.API.Burst = 5 }, "5"},
	{"API.AccessLogDays", "AWS::Logs::LogGroup", "AccessLogs", "Properties.RetentionInDays", "14", func(p *BatchExporterProps) { p.API.AccessLogDays = -1 }, ""},
	{"API.DomainName", "AWS::ApiGatewayV2::DomainName", "", "Properties.DomainName", "", withDomain, `"events.example.com"`},
	{"API.CertificateARN", "AWS::ApiGatewayV2::DomainName", "", "Properties.DomainNameConfigurations.0.CertificateArn", "", withDomain, `"arn:aws:acm:eu-west-1:111122223333:certificate/a"`},
	{"API.WebACLARN", "AWS::WAFv2::WebACLAssociation", "", "Properties.WebACLArn", "", func(p *BatchExporterProps) {
		p.API.Kind, p.API.WebACLARN = APIREST, "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/a/b"
	}, `"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/a/b"`},
	{"Queue.KeyARN", "AWS::SQS::Queue", "Queue", "Properties.KmsMasterKeyId", "", withKey, `"arn:aws:kms:eu-west-1:111122223333:key/a"`},
	{"Queue.TLSOnly", "AWS::SQS::QueuePolicy", "QueuePolicy", "Properties.PolicyDocument.Statement.0.Effect", `"Deny"`, func(p *BatchExporterProps) { p.Queue.TLSOnly = off }, ""},
	{"Queue.Retention", "AWS::SQS::Queue", "Queue", "Properties.MessageRetentionPeriod", "345600", func(p *BatchExporterProps) { p.Queue.Retention = time.Hour }, "3600"},
	{"Queue.DeadLetterRetention", "AWS::SQS::Queue", "DeadLetters", "Properties.MessageRetentionPeriod", "1209600", func(p *BatchExporterProps) { p.Queue.DeadLetterRetention = 240 * time.Hour }, "864000"},
	{"Queue.Visibility", "AWS::SQS::Queue", "Queue", "Properties.VisibilityTimeout", "722", func(p *BatchExporterProps) { p.Queue.Visibility = time.Hour }, "3600"},
	{"Queue.MaxReceives", "AWS::SQS::Queue", "Queue", "Properties.RedrivePolicy.maxReceiveCount", "5", func(p *BatchExporterProps) { p.Queue.MaxReceives = 9 }, "9"},
	{"Queue.BatchActions", "AWS::IAM::Policy", "IngestRoleDefaultPolicy", "Properties.PolicyDocument.Statement.1.Action", `"sqs:SendMessage"`, func(p *BatchExporterProps) { p.Queue.BatchActions = on }, `["sqs:SendMessage","sqs:SendMessageBatch"]`},
	{"Store.Table", "AWS::DynamoDB::Table", "", "Properties.TableName", `"millrace-dedup"`, func(p *BatchExporterProps) { p.Store.Table = off }, ""},
	{"Store.Bucket", "AWS::S3::Bucket", "", "Properties.LifecycleConfiguration.Rules.0.ExpirationInDays", "", func(p *BatchExporterProps) { p.Store.Bucket = on }, "15"},
	{"Functions.Architecture", "AWS::Lambda::Function", "Flush", "Properties.Architectures.0", `"arm64"`, func(p *BatchExporterProps) { p.Functions.Architecture = ArchitectureX8664 }, `"x86_64"`},
	{"Functions.LogDays", "AWS::Logs::LogGroup", "FlushLogs", "Properties.RetentionInDays", "14", func(p *BatchExporterProps) { p.Functions.LogDays = 90 }, "90"},
	{"Functions.Tracing", "AWS::Lambda::Function", "Flush", "Properties.TracingConfig.Mode", "", func(p *BatchExporterProps) { p.Functions.Tracing = on }, `"Active"`},
	{"Functions.Audit", "AWS::Lambda::Function", "Ingest", "Properties.Environment.Variables.MILLRACE_AUDIT", `"off"`, func(p *BatchExporterProps) { p.Functions.Audit = on }, `"on"`},
	{"Functions.Removal", "AWS::SQS::Queue", "Queue", "DeletionPolicy", `"Delete"`, func(p *BatchExporterProps) { p.Functions.Removal = RemovalRetain }, `"Retain"`},
	{"Functions.IngestMemoryMB", "AWS::Lambda::Function", "Ingest", "Properties.MemorySize", "256", func(p *BatchExporterProps) { p.Functions.IngestMemoryMB = 128 }, "128"},
	{"Functions.IngestTimeout", "AWS::Lambda::Function", "Ingest", "Properties.Timeout", "15", func(p *BatchExporterProps) { p.Functions.IngestTimeout = 20 * time.Second }, "20"},
	{"Functions.IngestConcurrency", "AWS::Lambda::Function", "Ingest", "Properties.ReservedConcurrentExecutions", "", func(p *BatchExporterProps) { p.Functions.IngestConcurrency = 7 }, "7"},
	{"Functions.ReplayMemoryMB", "AWS::Lambda::Function", "Replay", "Properties.MemorySize", "256", func(p *BatchExporterProps) { p.Functions.ReplayMemoryMB = 128 }, "128"},
	{"Functions.ReplayTimeout", "AWS::Lambda::Function", "Replay", "Properties.Timeout", "900", func(p *BatchExporterProps) { p.Functions.ReplayTimeout = time.Minute }, "60"},
	{"Flush.Trigger", "AWS::Lambda::EventSourceMapping", "", "Properties.FunctionResponseTypes.0", `"ReportBatchItemFailures"`, func(p *BatchExporterProps) { p.Flush.Trigger = TriggerSchedule }, ""},
	{"Flush.MemoryMB", "AWS::Lambda::Function", "Flush", "Properties.MemorySize", "512", func(p *BatchExporterProps) { p.Flush.MemoryMB = 128 }, "128"},
	{"Flush.Timeout", "AWS::Lambda::Function", "Flush", "Properties.Timeout", "120", func(p *BatchExporterProps) { p.Flush.Timeout = time.Minute }, "60"},
	{"Flush.Concurrency", "AWS::Lambda::Function", "Flush", "Properties.ReservedConcurrentExecutions", "", func(p *BatchExporterProps) { p.Flush.Concurrency = 20 }, "20"},
	{"Flush.BatchSize", "AWS::Lambda::EventSourceMapping", "", "Properties.BatchSize", "100", func(p *BatchExporterProps) { p.Flush.BatchSize = 7 }, "7"},
	{"Flush.MaxConcurrency", "AWS::Lambda::EventSourceMapping", "", "Properties.ScalingConfig.MaximumConcurrency", "10", func(p *BatchExporterProps) { p.Flush.MaxConcurrency = 3 }, "3"},
	{"Flush.Schedule", "AWS::Scheduler::Schedule", "Drain", "Properties.ScheduleExpression", "", func(p *BatchExporterProps) { p.Flush.Trigger, p.Flush.Schedule = TriggerBoth, "cron(0 * * * ? *)" }, `"cron(0 * * * ? *)"`},
	{"Flush.Scheduler", "AWS::Events::Rule", "Drain", "Properties.ScheduleExpression", "", func(p *BatchExporterProps) { p.Flush.Trigger, p.Flush.Scheduler = TriggerBoth, SchedulerRule }, `"rate(5 minutes)"`},
	{"Replay.Schedule", "AWS::Scheduler::Schedule", "ScheduledReplay", "Properties.ScheduleExpression", "", func(p *BatchExporterProps) { p.Replay.Schedule = "rate(1 day)" }, `"rate(1 day)"`},
	{"Replay.Request", "AWS::Scheduler::Schedule", "ScheduledReplay", "Properties.Target.Input", "", func(p *BatchExporterProps) {
		p.Replay.Schedule, p.Replay.Request = "rate(1 day)", `{"limit":5}`
	}, `"{\"limit\":5}"`},
	{"Alarms.TopicARN", "AWS::CloudWatch::Alarm", "Alarmdeadletters", "Properties.AlarmActions.0", "", func(p *BatchExporterProps) { p.Alarms.TopicARN = "arn:aws:sns:eu-west-1:111122223333:ops" }, `"arn:aws:sns:eu-west-1:111122223333:ops"`},
	{"Alarms.RunbookURL", "AWS::CloudWatch::Alarm", "Alarmdeadletters", "Properties.AlarmDescription", `"Dead letters are waiting. What to do: https://github.com/millrace-dev/millrace/blob/main/docs/runbooks/dead-letters.md"`, func(p *BatchExporterProps) { p.Alarms.RunbookURL = "https://wiki.example/" }, `"Dead letters are waiting. What to do: https://wiki.example/dead-letters.md"`},
	{"Alarms.OldestAge", "AWS::CloudWatch::Alarm", "Alarmoldestage", "Properties.Threshold", "900", func(p *BatchExporterProps) { p.Alarms.OldestAge = time.Hour }, "3600"},
	{"Alarms.ClientErrorPercent", "AWS::CloudWatch::Alarm", "Alarmingest4xx", "Properties.Threshold", "20", func(p *BatchExporterProps) { p.Alarms.ClientErrorPercent = 50 }, "50"},
	{"Alarms.Dashboard", "AWS::CloudWatch::Dashboard", "", "Properties.DashboardName", `"millrace"`, func(p *BatchExporterProps) { p.Alarms.Dashboard = off }, ""},
}

func withDomain(p *BatchExporterProps) {
	p.API.DomainName, p.API.CertificateARN = "events.example.com", "arn:aws:acm:eu-west-1:111122223333:certificate/a"
}

func withKey(p *BatchExporterProps) { p.Queue.KeyARN = "arn:aws:kms:eu-west-1:111122223333:key/a" }

func TestBatchExporterProps_EachProp_EndsUpInTheTemplate(t *testing.T) {
	unchanged := synth(t, goodProps(t))
	for _, row := range propRows {
		t.Run(row.prop, func(t *testing.T) {
			if got := at(t, unchanged.the(t, row.kind, row.id), row.path); got != row.whenUnset {
				t.Errorf("default: %s = %s, want %s", row.path, got, row.whenUnset)
			}
			props := goodProps(t)
			row.change(&props)
			if props.Functions.Architecture == ArchitectureX8664 {
				props.DistDir = writeZips(t, elf.EM_X86_64)
			}
			if got := at(t, synth(t, props).the(t, row.kind, row.id), row.path); got != row.whenChange {
				t.Errorf("changed: %s = %s, want %s", row.path, got, row.whenChange)
			}
		})
	}
}

func TestBatchExporterProps_EveryField_HasARow(t *testing.T) {
	tested := map[string]bool{"ConfigFile": true, "DistDir": true} // every test uses them
	for _, row := range propRows {
		tested[row.prop] = true
	}
	for _, name := range fieldNames(reflect.TypeFor[BatchExporterProps](), "") {
		if !tested[name] {
			t.Errorf("no row tests the prop %s", name)
		}
	}
}

func fieldNames(kind reflect.Type, prefix string) []string {
	var names []string
	for field := range kind.Fields() {
		if field.Type.Kind() == reflect.Struct && field.Type.PkgPath() == kind.PkgPath() {
			names = append(names, fieldNames(field.Type, prefix+field.Name+".")...)
			continue
		}
		names = append(names, prefix+field.Name)
	}
	return names
}
