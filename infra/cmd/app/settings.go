package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	infra "github.com/millrace-dev/millrace/infra"
)

// settings are what the app is told with `-c name=value`; a name that is not given is "".
type settings func(name string) string

// contextOf reads the app's context.
func contextOf(app awscdk.App) settings {
	return func(name string) string {
		value, _ := app.Node().TryGetContext(&name).(string)
		return value
	}
}

// props reads the props that the app can set. Whoever needs more writes an app around the
// construct.
func (s settings) props() (infra.BatchExporterProps, error) {
	flushTimeout, err := s.duration("flush-timeout")
	receives, errReceives := s.number("max-receives")
	props := infra.BatchExporterProps{
		ConfigFile:  s("config"),
		DistDir:     s("dist"),
		LogLevel:    s("log-level"),
		Environment: s.environment(),
		API:         infra.APIProps{Kind: s("api"), DomainName: s("domain"), CertificateARN: s("certificate"), WebACLARN: s("web-acl")},
		Queue:       infra.QueueProps{KeyARN: s("key"), MaxReceives: receives},
		Store:       infra.StoreProps{Table: s("table"), Bucket: s("bucket")},
		Functions:   infra.FunctionProps{Architecture: s("architecture"), Removal: s("removal"), Tracing: s("tracing"), Audit: s("audit")},
		Flush:       infra.FlushProps{Trigger: s("trigger"), Schedule: s("schedule"), Timeout: flushTimeout},
		Replay:      infra.ReplayProps{Schedule: s("replay-schedule"), Request: s("replay-request")},
		Alarms:      infra.AlarmProps{TopicARN: s("alarm-topic"), RunbookURL: s("runbooks"), Dashboard: s("dashboard")},
	}
	return props, errors.Join(err, errReceives)
}

// environment reads values for ${env:NAME} references: `-c env=NAME=value,OTHER=value`, or
// `-c env=NAME`, which takes the value from the app's own environment.
func (s settings) environment() map[string]string {
	values := map[string]string{}
	for pair := range strings.SplitSeq(s("env"), ",") {
		name, value, given := strings.Cut(pair, "=")
		if !given {
			value = os.Getenv(name)
		}
		if name != "" {
			values[name] = value
		}
	}
	return values
}

func (s settings) duration(name string) (time.Duration, error) {
	if s(name) == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s(name))
	if err != nil {
		return 0, fmt.Errorf("-c %s=%s: write a duration such as 90s", name, s(name))
	}
	return d, nil
}

func (s settings) number(name string) (int, error) {
	if s(name) == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s(name))
	if err != nil {
		return 0, fmt.Errorf("-c %s=%s: write a whole number", name, s(name))
	}
	return n, nil
}

// otherwise replaces a setting that was not given.
func (s settings) otherwise(name, fallback string) string {
	if value := s(name); value != "" {
		return value
	}
	return fallback
}

// build makes the stack in the app.
func build(app awscdk.App, s settings) error {
	props, err := s.props()
	if err != nil {
		return err
	}
	if props.ConfigFile == "" {
		return errors.New("no configuration: name one with -c config=millrace.yaml (make deploy CONFIG=millrace.yaml)")
	}
	props, err = infra.Adapt(s.otherwise("target", infra.TargetAWS), props)
	if err != nil {
		return err
	}
	name := s.otherwise("stack", "millrace")
	if err := infra.CheckStackName(name); err != nil {
		return err
	}
	stack := awscdk.NewStack(app, &name, &awscdk.StackProps{
		Synthesizer: infra.Synthesizer(s("cli-credentials") != ""),
		Description: jsii.String("Millrace takes events from SDKs and delivers them in batches"),
	})
	_, err = infra.NewBatchExporter(stack, "Exporter", &props)
	return err
}
