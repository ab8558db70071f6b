package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/audit"
	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/logfile"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// closeGrace is how long invocations may take to end after the drain.
const closeGrace = 15 * time.Second

// cloud is the running whole: the embedded AWS with our queues and functions on it.
type cloud struct {
	server   *localaws.Server
	totals   *telemetry.Totals
	logs     []io.Closer
	sinks    []string
	setup    setup
	ready    chan struct{} // closed when all of it is set
	atStart  *held         // what the queues held at the start; nil when they were too deep
	api, aws string
	queueURL string
	dlqURL   string
}

// startCloud starts everything. The output of the functions goes to a log file each and to the totals. Close it.
func startCloud(ctx context.Context, p plan) (*cloud, error) {
	c := &cloud{totals: &telemetry.Totals{}, sinks: p.sinks, setup: p.setup, ready: make(chan struct{})}
	logs := make(map[string]io.Writer)
	for _, name := range []string{devstack.Ingest, devstack.Flush, devstack.Replay} {
		log, err := c.openLog(p.logs, name)
		if err != nil {
			c.closeLogs()
			return nil, err
		}
		logs[name] = log
	}
	var err error
	c.server, err = devstack.Start(ctx, devstack.Options{
		AWSAddress: p.awsListen, APIAddress: p.listen, DataDir: p.data, Bootstrap: p.bootstrap, Directory: p.directory, Environment: p.environment,
		FlushTimeout: p.flushTimeout, Visibility: p.visibility, Window: p.window,
		Log: func(function string) io.Writer { return logs[function] },
		Pages: map[string]http.Handler{
			booksPath: c.whenReady(c.serveBooks), contentsPath: c.whenReady(c.serveContents), setupPath: c.whenReady(c.serveSetup),
		},
		Logger: p.logger,
	})
	if err != nil {
		c.closeLogs()
		return nil, err //nolint:wrapcheck // says "dev: …" already
	}
	c.api, c.aws = c.server.APIURL(), c.server.AWSURL()
	c.atStart = c.held()
	c.queueURL, c.dlqURL = localaws.QueueURL(c.aws, devstack.MainQueue), localaws.QueueURL(c.aws, devstack.LetterQueue)
	close(c.ready)
	return c, nil
}

// whenReady holds a page back until everything is known that it tells: the endpoint answers before that.
func (c *cloud) whenReady(serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-c.ready:
			serve(w, r)
		case <-r.Context().Done():
		}
	})
}

func (c *cloud) openLog(directory, function string) (io.Writer, error) {
	if directory == "" {
		return c.totals, nil
	}
	file, err := logfile.Open(filepath.Join(directory, function+".log"))
	if err != nil {
		return nil, fmt.Errorf("dev --data: %w", err)
	}
	c.logs = append(c.logs, file)
	keeper := audit.NewKeeper(filepath.Join(c.setup.Accepted, function), file)
	c.logs = append(c.logs, keeper)
	return io.MultiWriter(c.totals, keeper), nil
}

func (c *cloud) closeLogs() {
	for _, log := range c.logs {
		_ = log.Close()
	}
}

// books returns what the functions have reported so far, and what the queues hold.
func (c *cloud) books() books {
	b := newBooks(c.totals.Entries(), c.sinks...)
	b.carry(c.atStart)
	b.Queue, b.DeadLetters = c.depth(devstack.MainQueue), c.depth(devstack.LetterQueue)
	return b
}

func (c *cloud) depth(name string) queue.Depth {
	depth, err := c.server.SQS().Depth(name)
	if err != nil {
		return queue.Depth{} // somebody has deleted the queue
	}
	return queue.Depth{Visible: depth.Visible, InFlight: depth.InFlight, Delayed: depth.Delayed}
}

// serveBooks answers `millrace status`, with what the queues really hold.
func (c *cloud) serveBooks(w http.ResponseWriter, _ *http.Request) {
	b := c.books()
	b.settle(c.atStart, c.held())
	body, err := json.Marshal(b, json.Deterministic(true))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// stopIntake closes the API and lets requests that were taken finish.
func (c *cloud) stopIntake(ctx context.Context) { _ = c.server.CloseFrontDoor(ctx) }

// close ends everything. When it returns, no process is left. It is idempotent.
func (c *cloud) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	err := c.server.Close(ctx)
	c.closeLogs()
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("dev: %w", err)
	}
	return nil
}

// devLogger writes what goes wrong in the background to the console.
func devLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
