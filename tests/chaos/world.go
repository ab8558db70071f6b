package chaos

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

const (
	// flushTimeout is short, so that a frozen flush is soon over, and leaves room for a sink's timeout.
	flushTimeout = 4 * time.Second
	// visibility is below AWS's advice of six times the timeout, so that what a dead flush held comes back amid the faults. It leaves a
	// machine that stands still for some seconds the time to delete what was delivered.
	visibility = 12 * time.Second
)

// configuration makes everything happen within seconds: few attempts, short waits, a breaker that soon tries again.
const configuration = `version: 1
keys:
  - { name: web, sha256: "%s", tenant: %s }
  - { name: app, sha256: "%s", tenant: %s }
sinks:
  one: { type: http, url: "%s", timeout: 2s, compression: gzip, breaker: { failures: 3, open_for: 1s } }
  two: { type: http, url: "%s", timeout: 2s, compression: none, breaker: { failures: 3, open_for: 1s } }
routes:
  - { match: { type: ping }, to: [two] }
  - { to: [one, two] }
flush: { max_events: 100, max_age: 0s }
retry: { max_inline_wait: 300ms, max_attempts: 4 }
dedup: { window: %s, scope: %s, on_store_failure: %s }
`

// setup says what a world is made of.
type setup struct {
	// dist holds the functions; dir takes the configuration, the logs and the data.
	dist, dir string
	// disk keeps the queues and the table in dir, through this file system; nil means in memory.
	disk vfs.FS
	// flushes is how many run at once; 0 means as many as elsewhere.
	flushes int
}

// world is a running stack with sick sinks.
type world struct {
	setup

	weather *weather
	server  *localaws.Server
	sinks   map[string]*sick
	totals  *telemetry.Totals
	clocks  clocks
	options devstack.Options
	files   []io.Closer
	// cutOff counts the flushes that ended without an answer.
	cutOff atomic.Int64
}

// startWorld starts everything.
func startWorld(ctx context.Context, s setup, w *weather) (*world, error) {
	world := &world{setup: s, weather: w, totals: &telemetry.Totals{}, sinks: map[string]*sick{
		sinkOne: startSink(sinkOne, w), sinkTwo: startSink(sinkTwo, w),
	}}
	err := world.prepare()
	if err == nil {
		err = world.start(ctx)
	}
	if err != nil {
		world.closeRest()
		return nil, err
	}
	return world, nil
}

// prepare writes the files that a stack needs and decides how it is started.
func (w *world) prepare() error {
	path, err := w.configure()
	if err != nil {
		return err
	}
	if w.clocks, err = newClocks(filepath.Join(w.dir, "clocks")); err != nil {
		return err
	}
	w.files = append(w.files, w.clocks.file)
	logs := map[string]io.Writer{}
	for _, function := range []string{devstack.Ingest, devstack.Flush, devstack.Replay} {
		file, err := os.Create(filepath.Join(w.dir, function+".log"))
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		w.files = append(w.files, file)
		logs[function] = io.MultiWriter(w.totals, lateness{w.weather}, file)
	}
	w.options = devstack.Options{
		Bootstrap: func(function string) string { return filepath.Join(w.dist, function, "bootstrap") },
		Directory: w.dir, Environment: w.weather.plan.environment(path, w.clocks),
		FlushTimeout: flushTimeout, Visibility: visibility, FlushConcurrency: w.flushes,
		Log:    func(function string) io.Writer { return logs[function] },
		Faults: queueFaults(w.weather), TableFaults: storeFaults(w.weather), Logger: slog.New(observer{&w.cutOff}),
	}
	if w.disk != nil {
		w.options.FileSystem, w.options.DataDir = w.disk, filepath.Join(w.dir, "data")
	}
	return nil
}

// start starts the stack, perhaps again.
func (w *world) start(ctx context.Context) (err error) {
	w.server, err = devstack.Start(ctx, w.options)
	return err
}

func (w *world) configure() (string, error) {
	path := filepath.Join(w.dir, "millrace.yaml")
	text := fmt.Sprintf(configuration, hash(tenants[0].key), tenants[0].name, hash(tenants[1].key), tenants[1].name,
		w.sinks[sinkOne].server.URL, w.sinks[sinkTwo].server.URL,
		w.weather.plan.window(), cmp.Or(w.weather.plan.Dedup.Scope, scopePack), w.weather.plan.Dedup.OnStoreFailure)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("configuration: %w", err)
	}
	return path, nil
}

// environment is what differs in the functions' environment from that of the stack.
func (p Plan) environment(configuration string, c clocks) map[string]string {
	variables := map[string]string{config.EnvConfig: configuration, envClocks: c.file.Name()}
	if p.Dedup.Scope == "" {
		variables[config.EnvTable] = ""
	}
	return variables
}

func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// rest ends the functions, so that everything they wrote has been read.
func (w *world) rest() {
	ctx, cancel := context.WithTimeout(context.Background(), visibility)
	defer cancel()
	for _, mapping := range w.server.Mappings() {
		_ = mapping.Stop(ctx)
	}
	_ = w.server.Lambda().Close(ctx)
}

// stop ends the stack; nothing of it is left running.
func (w *world) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), visibility)
	defer cancel()
	_ = w.server.Close(ctx) // processes at work are cut off
}

// close ends everything.
func (w *world) close() {
	w.stop()
	w.closeRest()
}

func (w *world) closeRest() {
	for _, sink := range w.sinks {
		sink.close()
	}
	for _, file := range w.files {
		_ = file.Close()
	}
}

// observer is a log handler that counts what the mapping says of flushes without an answer.
type observer struct{ cutOff *atomic.Int64 }

// Enabled takes warnings and errors.
func (observer) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle counts a line.
func (o observer) Handle(_ context.Context, line slog.Record) error {
	if line.Message == "batch comes back" {
		o.cutOff.Add(1)
	}
	return nil
}

// WithAttrs changes nothing: attributes are not read.
func (o observer) WithAttrs([]slog.Attr) slog.Handler { return o }

// WithGroup changes nothing.
func (o observer) WithGroup(string) slog.Handler { return o }
