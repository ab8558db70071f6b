package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// How the functions are run on this machine.
const (
	// maxReceives is how often a pack is handed to a flush that crashes before SQS moves it to the dead letters.
	maxReceives = 5
	// packsPerFlush is the batch size of the mapping. It counts packs, each of up to thousands of events.
	packsPerFlush = 100
	ingestTimeout = 15 * time.Second
	// replayTimeout is Lambda's longest: a replay goes through a whole queue.
	replayTimeout = 15 * time.Minute
	// waitForProcess queues requests for a while where AWS would start another hundred processes.
	waitForProcess = 10 * time.Second
	// closeGrace is how long invocations may take to end after the drain.
	closeGrace = 15 * time.Second
	// memoryMB is shown to the functions; nothing is limited.
	memoryMB = 256
)

// cloud is the running whole: the embedded AWS with our queues and functions on it.
type cloud struct {
	server   *localaws.Server
	totals   *telemetry.Totals
	logs     []io.Closer
	sinks    []string
	api, aws string
	queueURL string
	dlqURL   string
}

// startCloud starts everything. Close it.
func startCloud(ctx context.Context, p plan) (*cloud, error) {
	c := &cloud{totals: &telemetry.Totals{}, sinks: p.sinks}
	functions, err := c.functions(p)
	if err != nil {
		c.closeLogs()
		return nil, err
	}
	c.server, err = localaws.Start(ctx, localaws.Options{
		AWSAddress: p.awsListen, APIAddress: p.listen,
		Queues: []localaws.Queue{
			{Name: letterQueue, Attributes: map[string]string{"MessageRetentionPeriod": "1209600"}}, // 14 days, SQS's longest
			{
				Name: mainQueue, DeadLetterQueue: letterQueue, MaxReceiveCount: maxReceives,
				Attributes: map[string]string{"VisibilityTimeout": wholeSeconds(p.visibility)},
			},
		},
		Functions: functions,
		Mappings:  []localaws.Mapping{{Function: nameOf(functionFlush), Options: mappingOptions(p.window)}},
		FrontDoor: localaws.FrontDoor{Function: nameOf(functionIngest)},
		Environment: func(awsURL string) map[string]string {
			return map[string]string{
				config.EnvQueueURL:      localaws.QueueURL(awsURL, mainQueue),
				config.EnvDeadLetterURL: localaws.QueueURL(awsURL, letterQueue),
			}
		},
		Pages:  map[string]http.Handler{booksPath: http.HandlerFunc(c.serveBooks), contentsPath: http.HandlerFunc(c.serveContents)},
		Logger: p.logger,
	})
	if err != nil {
		c.closeLogs()
		return nil, fmt.Errorf("dev: %w", err)
	}
	c.api, c.aws = c.server.APIURL(), c.server.AWSURL()
	c.queueURL, c.dlqURL = c.server.QueueURL(mainQueue), c.server.QueueURL(letterQueue)
	return c, nil
}

// mappingOptions say how packs get from the queue to the flush: as many as come within the time that an event may wait.
func mappingOptions(window time.Duration) esm.Options {
	size := packsPerFlush
	if window == 0 {
		size = esm.DefaultBatchSize // AWS allows more only with a window
	}
	return esm.Options{
		Queue: mainQueue, BatchSize: size, Window: window, ReportBatchItemFailures: true,
		MaximumConcurrency: max(esm.MinMaximumConcurrency, runtime.NumCPU()),
	}
}

// functions describes the three functions. Their output goes to a log file each and to the totals.
func (c *cloud) functions(p plan) ([]lambda.Function, error) {
	timeouts := map[string]time.Duration{functionIngest: ingestTimeout, functionFlush: p.flushTimeout, functionReplay: replayTimeout}
	var functions []lambda.Function
	for _, name := range []string{functionIngest, functionFlush, functionReplay} {
		log, err := c.openLog(p.logs, name)
		if err != nil {
			return nil, err
		}
		functions = append(functions, lambda.Function{
			Name: nameOf(name), Bootstrap: p.bootstrap(name), Directory: p.directory, Environment: p.environment,
			MemoryMB: memoryMB, Timeout: timeouts[name], MaxConcurrency: 2 * runtime.NumCPU(), MaxWait: waitForProcess,
			Log: log,
		})
	}
	return functions, nil
}

// nameOf is what a function is called on AWS and here.
func nameOf(function string) string { return "millrace-" + function }

func (c *cloud) openLog(directory, function string) (io.Writer, error) {
	if directory == "" {
		return c.totals, nil
	}
	file, err := os.OpenFile(filepath.Join(directory, function+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("dev --data: %w", err)
	}
	c.logs = append(c.logs, file)
	return io.MultiWriter(c.totals, file), nil
}

func (c *cloud) closeLogs() {
	for _, log := range c.logs {
		_ = log.Close()
	}
}

// books returns what the functions have reported so far, and what the queues hold.
func (c *cloud) books() books {
	b := newBooks(c.totals.Entries(), c.sinks...)
	b.Queue, b.DeadLetters = c.depth(mainQueue), c.depth(letterQueue)
	return b
}

func (c *cloud) depth(name string) queue.Depth {
	depth, err := c.server.SQS().Depth(name)
	if err != nil {
		return queue.Depth{} // somebody has deleted the queue
	}
	return queue.Depth{Visible: depth.Visible, InFlight: depth.InFlight, Delayed: depth.Delayed}
}

// serveBooks answers `millrace status`.
func (c *cloud) serveBooks(w http.ResponseWriter, _ *http.Request) {
	body, err := json.Marshal(c.books(), json.Deterministic(true))
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

func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// devLogger writes what goes wrong in the background to the console.
func devLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
