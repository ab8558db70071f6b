package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/pkg/config"
)

type devCommand struct {
	configFile
	Listen    string `default:"127.0.0.1:8080" help:"Address of the API. Port 0 takes a free one."`
	AWSListen string `name:"aws-listen" default:"127.0.0.1:4577" help:"Address of the AWS endpoint. Port 0 takes a free one."`
	Data      string `default:".millrace" placeholder:"DIR" help:"Where the queues, what was delivered and objects are kept, in DIR/queues, DIR/tables and DIR/objects, the ids that were accepted, in DIR/accepted, and the logs of the functions, as DIR/logs/NAME.log; 'memory' keeps nothing."`
	Dist      string `type:"path" placeholder:"DIR" help:"Where the built functions are, as DIR/NAME/bootstrap. Default: dist beside the program or here."`
	Demo      bool   `help:"Start a demo sink, send 1,000 sample events and show them arriving."`
	JSON      bool   `help:"Print one JSON line when ready, and nothing else on standard output."`

	FlushTimeout time.Duration `default:"10s" help:"Longest time of one flush."`
	Visibility   time.Duration `default:"60s" help:"How long a pack stays hidden after a flush that was killed. AWS's advice is 6 times the flush's time at least."`
	Drain        time.Duration `default:"10s" help:"On Ctrl-C, how long to go on delivering what is on the queue."`
}

// Help shows how to use it.
func (devCommand) Help() string {
	return `Starts an AWS of its own on this machine (SQS, Lambda, API Gateway; on the loopback interface only) with
the queues millrace and millrace-dlq and the functions millrace-ingest, millrace-flush and millrace-replay: the same
binaries that run on AWS. Of this program's environment they see only the variables that the configuration names.

    millrace dev --config examples/quickstart/millrace.yaml --demo
    millrace dev --config millrace.yaml --listen 127.0.0.1:0 --aws-listen 127.0.0.1:0 --json

When ready, --json prints one line:

    {"ready":true,"api":"http://127.0.0.1:8080","aws":"http://127.0.0.1:4577","queue_url":"…","dlq_url":"…","pid":4711}

Point the AWS CLI at it:

    aws --endpoint-url http://127.0.0.1:4577 sqs get-queue-attributes --attribute-names All \
        --queue-url http://127.0.0.1:4577/000000000000/millrace-dlq

The first Ctrl-C stops taking events, delivers what is on the queue for a while and says what is left; the second ends at once.`
}

// Run starts everything and keeps it running until ctx ends.
func (d *devCommand) Run(ctx context.Context, c *console) (err error) {
	if err := d.check(); err != nil {
		return err
	}
	defer localaws.LeanHeap()()
	loaded, err := d.load()
	if err != nil {
		return err
	}
	var demo *demosink.Server
	if d.Demo {
		if demo, err = demosink.Start("127.0.0.1:0", demosink.New(demosink.Options{})); err != nil {
			return err //nolint:wrapcheck // says "sink: listen …" already
		}
		defer demo.Close()
	}
	plan, err := d.plan(ctx, c, loaded, demo)
	if err != nil {
		return err
	}
	started, err := startCloud(ctx, plan)
	if err != nil {
		return listenHint(err, "--listen or --aws-listen")
	}
	defer func() { err = errors.Join(err, started.close()) }()
	if err := d.announce(c, started, loaded); err != nil {
		return err
	}
	d.live(ctx, c, started, demo)
	return d.drain(c, started)
}

func (d *devCommand) check() error {
	switch {
	case d.FlushTimeout < time.Second || d.FlushTimeout > 15*time.Minute: //nolint:mnd // Lambda's bounds
		return usageError("dev: --flush-timeout must be between 1s and 15m")
	case d.Visibility < d.FlushTimeout:
		return usageError("dev: --visibility must not be below --flush-timeout: a pack would be delivered again while it is being delivered")
	case d.Drain < 0:
		return usageError("dev: --drain must not be negative")
	}
	return nil
}

// plan is what to start.
type plan struct {
	listen, awsListen        string
	bootstrap                func(function string) string
	directory                string // where the functions run
	data, logs               string // directories, empty for none
	environment              map[string]string
	flushTimeout, visibility time.Duration
	window                   time.Duration
	sinks                    []string
	setup                    setup
	logger                   *slog.Logger
}

// plan decides everything that can be decided before anything is started.
func (d *devCommand) plan(ctx context.Context, c *console, loaded *config.Config, demo *demosink.Server) (plan, error) {
	getenv := c.getenv
	if demo != nil {
		getenv = func(name string) string {
			if name == demoVariable {
				return demo.URL()
			}
			return c.getenv(name)
		}
	}
	p := plan{
		listen: d.Listen, awsListen: d.AWSListen, flushTimeout: d.FlushTimeout, visibility: d.Visibility,
		window: loaded.Flush.MaxAge.Std(), sinks: sortedNames(loaded.Sinks), logger: devLogger(c.err),
	}
	var err error
	if p.environment, err = environment(ctx, loaded, getenv); err != nil {
		return plan{}, demoHint(err)
	}
	if _, used := p.environment[demoVariable]; demo != nil && !used {
		return plan{}, usageError("dev --demo: no sink in %s has the url ${env:%s}, so nothing would arrive at the demo sink", d.Config, demoVariable)
	}
	file, err := filepath.Abs(d.Config)
	if err != nil {
		return plan{}, fmt.Errorf("dev --config: %w", err)
	}
	p.environment[config.EnvConfig] = file
	if p.directory, err = filepath.Abs("."); err != nil {
		return plan{}, fmt.Errorf("dev: %w", err)
	}
	if p.data, p.logs, err = makeData(d.Data); err != nil {
		return plan{}, err
	}
	if p.setup = newSetup(loaded, p.directory, p.data); p.setup.Accepted != "" {
		p.environment[config.EnvAudit] = "on"
	}
	p.bootstrap, err = findFunctions(d.Dist)
	return p, err
}
