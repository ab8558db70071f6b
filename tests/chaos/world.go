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

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/telemetry"
)

const (
	// flushTimeout is short, so that a frozen flush is soon over, and leaves room for a sink's timeout.
	flushTimeout = 4 * time.Second
	// visibility is no longer than needed. It is below AWS's advice of six times the timeout on purpose.
	visibility = 6 * time.Second
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

// world is a running stack with sick sinks.
type world struct {
	weather *weather
	server  *localaws.Server
	sinks   map[string]*sick
	totals  *telemetry.Totals
	clocks  clocks
	logs    []io.Closer
	// cutOff counts the flushes that ended without an answer.
	cutOff atomic.Int64
}

// startWorld starts everything, with its files in dir.
func startWorld(ctx context.Context, dist, dir string, w *weather) (*world, error) {
	world := &world{weather: w, totals: &telemetry.Totals{}, sinks: map[string]*sick{
		sinkOne: startSink(sinkOne, w), sinkTwo: startSink(sinkTwo, w),
	}}
	path, err := world.configure(dir)
	if err != nil {
		return nil, world.abandon(err)
	}
	if world.clocks, err = newClocks(filepath.Join(dir, "clocks")); err != nil {
		return nil, world.abandon(err)
	}
	world.logs = append(world.logs, world.clocks.file)
	logs := map[string]io.Writer{}
	for _, function := range []string{devstack.Ingest, devstack.Flush, devstack.Replay} {
		file, err := os.Create(filepath.Join(dir, function+".log"))
		if err != nil {
			return nil, world.abandon(fmt.Errorf("log: %w", err))
		}
		world.logs = append(world.logs, file)
		logs[function] = io.MultiWriter(world.totals, lateness{w}, file)
	}
	world.server, err = devstack.Start(ctx, devstack.Options{
		Bootstrap: func(function string) string { return filepath.Join(dist, function, "bootstrap") },
		Directory: dir, Environment: w.plan.environment(path, world.clocks),
		FlushTimeout: flushTimeout, Visibility: visibility,
		Log:    func(function string) io.Writer { return logs[function] },
		Faults: queueFaults(w), TableFaults: storeFaults(w), Logger: slog.New(observer{&world.cutOff}),
	})
	if err != nil {
		return nil, world.abandon(err)
	}
	return world, nil
}

func (w *world) configure(dir string) (string, error) {
	path := filepath.Join(dir, "millrace.yaml")
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

func (w *world) abandon(err error) error {
	w.closeRest()
	return err
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

// close ends everything; nothing is left running.
func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), visibility)
	defer cancel()
	_ = w.server.Close(ctx) // processes at work are cut off
	w.closeRest()
}

func (w *world) closeRest() {
	for _, sink := range w.sinks {
		sink.close()
	}
	for _, log := range w.logs {
		_ = log.Close()
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
