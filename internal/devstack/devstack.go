package devstack

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
)

// Names of the queues, of the table and of the bucket.
const (
	MainQueue   = "millrace"
	LetterQueue = "millrace-dlq"
	// DedupTable is where flushes remember what was delivered.
	DedupTable = "millrace-dedup"
	// ClaimBucket is where events lie that are too large for the queue.
	ClaimBucket = "millrace-claims"
)

// The functions, by the names of their directories in dist. On AWS and here they are called millrace-NAME.
const (
	Ingest = "ingest"
	Flush  = "flush"
	Replay = "replay"
)

// How the functions are run on this machine.
const (
	// MaxReceives is how often a pack is handed to a flush that crashes before SQS moves it to the dead letters.
	MaxReceives = 5
	// packsPerFlush is the batch size of the mapping. It counts packs, each of up to thousands of events.
	packsPerFlush = 100
	ingestTimeout = 15 * time.Second
	// replayTimeout is Lambda's longest: a replay goes through a whole queue.
	replayTimeout = 15 * time.Minute
	// waitForProcess queues requests for a while where AWS would start another hundred processes.
	waitForProcess = 10 * time.Second
	// flushConcurrency is how many flushes run at once: more than there are cores, because a flush mostly waits for sinks, and
	// one that waits for a sick sink must leave others to serve the healthy ones. AWS starts with five and goes on to a thousand.
	flushConcurrency = 10
	// memoryMB is shown to the functions; nothing is limited.
	memoryMB = 256
	// letterRetention is 14 days in seconds, SQS's longest.
	letterRetention = "1209600"
)

// FunctionName is what a function is called on AWS and here.
func FunctionName(function string) string { return "millrace-" + function }

// Options say what differs between the stacks that are started.
type Options struct {
	// AWSAddress and APIAddress are where the AWS endpoint and the front door listen. Default: a free port of 127.0.0.1.
	AWSAddress, APIAddress string
	// DataDir keeps the queues, the table and the bucket on disk; empty means in memory.
	DataDir string
	// Bootstrap returns the path of a function's program. Required.
	Bootstrap func(function string) string
	// Directory is where the functions run. Default: beside their programs.
	Directory string
	// Environment is added to the functions' own. It must name the configuration.
	Environment map[string]string
	// FlushTimeout ends a flush. Required.
	FlushTimeout time.Duration
	// Visibility is how long a pack stays hidden after a flush that was killed, in whole seconds.
	Visibility time.Duration
	// Window is how long the mapping gathers packs for a flush.
	Window time.Duration
	// Log gets the output of a function. Required.
	Log func(function string) io.Writer
	// Pages are served beside AWS, by path.
	Pages map[string]http.Handler
	// FlushConcurrency is how many flushes run at once; 0 means ten.
	FlushConcurrency int
	// Faults lets tests make SQS calls fail, TableFaults those of DynamoDB; nil means none.
	Faults      *sqs.Faults
	TableFaults *dynamodb.Faults
	// FileSystem is where DataDir is; nil means the machine's.
	FileSystem vfs.FS
	// Logger gets what goes wrong in the background.
	Logger *slog.Logger
}

// Start starts the stack. Close it, or processes stay behind.
func Start(ctx context.Context, o Options) (*localaws.Server, error) {
	server, err := localaws.Start(ctx, localaws.Options{
		AWSAddress: o.AWSAddress, APIAddress: o.APIAddress, DataDir: o.DataDir,
		Queues: []localaws.Queue{
			{Name: LetterQueue, Attributes: map[string]string{"MessageRetentionPeriod": letterRetention}},
			{Name: MainQueue, Attributes: map[string]string{
				"VisibilityTimeout": wholeSeconds(o.Visibility), "RedrivePolicy": localaws.RedrivePolicy(LetterQueue, MaxReceives),
			}},
		},
		Tables:    []localaws.Table{{Name: DedupTable, Key: dynamo.KeyAttribute, KeyType: "B", TTL: dynamo.TTLAttribute}},
		Buckets:   []string{ClaimBucket},
		Functions: o.functions(),
		Mappings:  []esm.Options{o.mappingOptions()},
		FrontDoor: FunctionName(Ingest),
		Environment: func(awsURL string) map[string]string {
			return map[string]string{
				config.EnvQueueURL:      localaws.QueueURL(awsURL, MainQueue),
				config.EnvDeadLetterURL: localaws.QueueURL(awsURL, LetterQueue),
				config.EnvTable:         DedupTable,
				config.EnvBucket:        ClaimBucket,
			}
		},
		Pages: o.Pages, Faults: o.Faults, TableFaults: o.TableFaults, FileSystem: o.FileSystem, Logger: o.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	return server, nil
}

func (o Options) functions() []lambda.Function {
	timeouts := map[string]time.Duration{Ingest: ingestTimeout, Flush: o.FlushTimeout, Replay: replayTimeout}
	functions := make([]lambda.Function, 0, len(timeouts))
	for _, name := range []string{Ingest, Flush, Replay} {
		functions = append(functions, lambda.Function{
			Name: FunctionName(name), Bootstrap: o.Bootstrap(name), Directory: o.Directory, Environment: o.Environment,
			MemoryMB: memoryMB, Timeout: timeouts[name], MaxConcurrency: o.concurrency(name), MaxWait: waitForProcess,
			Log: o.Log(name),
		})
	}
	return functions
}

// mappingOptions say how packs get from the queue to the flush: as many as come within the time that an event may wait.
func (o Options) mappingOptions() esm.Options {
	size := packsPerFlush
	if o.Window == 0 {
		size = esm.DefaultBatchSize // AWS allows more only with a window
	}
	return esm.Options{
		Queue: MainQueue, Function: FunctionName(Flush), BatchSize: size, Window: o.Window, ReportBatchItemFailures: true,
		MaximumConcurrency: o.concurrency(Flush),
	}
}

func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// concurrency is how many processes of a function may run at once.
func (o Options) concurrency(function string) int {
	if function == Flush {
		return cmp.Or(o.FlushConcurrency, flushConcurrency)
	}
	return 2 * runtime.NumCPU()
}
