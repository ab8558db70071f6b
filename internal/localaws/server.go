package localaws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/localaws/apigateway"
	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/s3"
	"github.com/millrace-dev/millrace/internal/localaws/scheduler"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// defaultVisibility is SQS's visibility timeout for a queue that names none.
const defaultVisibility = 30 * time.Second

// Server is a running embedded AWS. It is safe for concurrent use.
type Server struct {
	options Options
	awsURL  string
	apiURL  string

	journals []*journal.Journal // to be closed

	queues    *sqs.Service
	tables    *dynamodb.Service
	objects   *s3.Service
	functions *lambda.Host
	mappings  []*esm.Mapping
	schedules *scheduler.Scheduler

	handler  http.Handler
	aws, api *http.Server
	serving  sync.WaitGroup
}

// Start opens the listeners, creates what the options declare and begins to serve. ctx bounds the start only.
// The server must be closed, or processes stay behind.
func Start(ctx context.Context, options Options) (*Server, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	s := &Server{options: options}
	if err := s.start(ctx); err != nil {
		expired, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancel() // nothing is running yet that deserves patience
		_ = s.Close(expired)
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	aws, err := listen(ctx, s.options.AWSAddress)
	if err != nil {
		return err
	}
	s.awsURL = "http://" + aws.Addr().String()
	if err := errors.Join(s.openQueues(), s.openTables(), s.openBuckets(), s.startFunctions()); err != nil {
		_ = aws.Close()
		return err
	}
	s.handler = router{
		services: map[string]http.Handler{"sqs": s.queues, "lambda": s.functions, "dynamodb": s.tables, "s3": s.objects},
		pages:    s.options.Pages,
	}
	s.aws = s.serve(aws, s.handler)
	if err := s.createQueues(ctx); err != nil {
		return err
	}
	if err := s.startMappings(); err != nil {
		return err
	}
	if err := s.startSchedules(); err != nil {
		return err
	}
	return s.openFrontDoor(ctx)
}

// openQueues starts SQS with what DataDir holds.
func (s *Server) openQueues() (err error) {
	kept, err := s.openJournal("queues", sqs.JournalVersion)
	if err != nil {
		return err
	}
	s.queues, err = sqs.Open(sqs.Options{
		Region: Region, AccountID: AccountID, BaseURL: s.awsURL, Faults: s.options.Faults, Logger: s.options.Logger,
	}, kept)
	return err
}

// openTables starts DynamoDB with what DataDir holds and the tables that are declared.
func (s *Server) openTables() (err error) {
	kept, err := s.openJournal("tables", dynamodb.JournalVersion)
	if err != nil {
		return err
	}
	s.tables, err = dynamodb.Open(dynamodb.Options{
		Region: Region, AccountID: AccountID, Faults: s.options.TableFaults, Logger: s.options.Logger,
	}, kept)
	if err != nil {
		return err
	}
	for _, t := range s.options.Tables {
		if err := s.tables.CreateTable(t.Name, t.Key, t.KeyType, t.TTL); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return nil
}

// openBuckets starts S3 with what DataDir holds and the buckets that are declared. Without a DataDir its disk is in memory.
func (s *Server) openBuckets() error {
	kept, err := s.openJournal("objects", s3.JournalVersion)
	if err == nil && kept == nil {
		kept, err = s.openJournalOn(vfs.NewMem(), "objects", s3.JournalVersion)
	}
	if err != nil {
		return err
	}
	s.objects = s3.New(kept)
	for _, name := range s.options.Buckets {
		if err := s.objects.EnsureBucket(name); err != nil {
			return err
		}
	}
	return nil
}

// openJournal opens one directory of DataDir; without a DataDir there is no journal, and all is in memory.
func (s *Server) openJournal(name string, version uint64) (*journal.Journal, error) {
	if s.options.DataDir == "" {
		return nil, nil //nolint:nilnil // no journal is a journal in memory
	}
	return s.openJournalOn(s.options.FileSystem, filepath.Join(s.options.DataDir, name), version)
}

func (s *Server) openJournalOn(disk vfs.FS, dir string, version uint64) (*journal.Journal, error) {
	opened, err := journal.Open(journal.Options{Dir: dir, Version: version, FileSystem: disk, Logger: s.options.Logger})
	if err == nil {
		s.journals = append(s.journals, opened)
	}
	return opened, err
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("local aws: %w", err)
	}
	return listener, nil
}

func (s *Server) serve(listener net.Listener, handler http.Handler) *http.Server {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	s.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.options.Logger.Error("local aws stopped serving", "address", listener.Addr().String(), "error", err)
		}
	})
	return server
}

func (s *Server) startFunctions() error {
	options := s.options.Lambda
	options.Region, options.AccountID = Region, AccountID
	options.Environment = map[string]string{"AWS_ENDPOINT_URL": s.awsURL}
	maps.Copy(options.Environment, s.options.Environment(s.awsURL))
	if options.Logger == nil {
		options.Logger = s.options.Logger
	}
	host, err := lambda.NewHost(s.options.Functions, options)
	s.functions = host
	return err
}

// createQueues makes the dead-letter queues first, because a redrive policy must name a queue that exists. Queues
// from an earlier run get the declared attributes.
func (s *Server) createQueues(ctx context.Context) error {
	var problems []error
	create := func(q Queue) {
		_, err := s.queues.CreateQueue(ctx, q.Name, s.attributesOf(q))
		if refusal, ok := errors.AsType[*sqs.Error](err); ok && refusal.Code == "QueueAlreadyExists" {
			err = s.queues.SetQueueAttributes(ctx, q.Name, s.attributesOf(q))
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("queue %s: %w", q.Name, err))
		}
	}
	for _, q := range s.options.Queues {
		if q.DeadLetterQueue == "" {
			create(q)
		}
	}
	for _, q := range s.options.Queues {
		if q.DeadLetterQueue != "" {
			create(q)
		}
	}
	return errors.Join(problems...)
}

func (s *Server) attributesOf(q Queue) map[string]string {
	if q.DeadLetterQueue == "" {
		return q.Attributes
	}
	policy, _ := jsontext.AppendQuote([]byte(`{"deadLetterTargetArn":`), s.QueueARN(q.DeadLetterQueue))
	policy = append(strconv.AppendInt(append(policy, `,"maxReceiveCount":`...), int64(q.MaxReceiveCount), 10), '}')
	attributes := map[string]string{"RedrivePolicy": string(policy)}
	maps.Copy(attributes, q.Attributes)
	return attributes
}

func (s *Server) startMappings() error {
	for _, m := range s.options.Mappings {
		options := m.Options
		options.QueueARN, options.Region, options.Logger = s.QueueARN(options.Queue), Region, s.options.Logger
		options.Visibility = s.visibility(options.Queue)
		mapping, err := esm.Start(s.queues, s.functions.Invoker(m.Function), options)
		if err != nil {
			return err
		}
		s.mappings = append(s.mappings, mapping)
	}
	return nil
}

// visibility reads a declared queue's visibility timeout; CreateQueue has checked it.
func (s *Server) visibility(name string) time.Duration {
	for _, q := range s.options.Queues {
		if seconds, err := strconv.Atoi(q.Attributes["VisibilityTimeout"]); q.Name == name && err == nil {
			return time.Duration(seconds) * time.Second
		}
	}
	return defaultVisibility
}

func (s *Server) startSchedules() error {
	schedules := make([]scheduler.Schedule, 0, len(s.options.Schedules))
	for _, declared := range s.options.Schedules {
		schedules = append(schedules, scheduler.Schedule{
			Name: declared.Name, Expression: declared.Expression, TimeZone: declared.TimeZone, Input: declared.Input,
			Target: func(ctx context.Context, input []byte) error {
				_, err := s.functions.Invoke(ctx, declared.Function, input, lambda.InvokeOptions{Type: lambda.InvocationEvent})
				return err
			},
		})
	}
	running, err := scheduler.Start(schedules, s.options.Logger)
	s.schedules = running
	return err
}

func (s *Server) openFrontDoor(ctx context.Context) error {
	door := s.options.FrontDoor
	if door.Function == "" {
		return nil
	}
	gateway, err := apigateway.New(s.functions.Invoker(door.Function), door.Options)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, s.options.APIAddress)
	if err != nil {
		return err
	}
	s.apiURL = "http://" + listener.Addr().String() + gateway.Prefix()
	s.api = s.serve(listener, gateway)
	return nil
}
