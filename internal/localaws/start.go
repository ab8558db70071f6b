package localaws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/millrace-dev/millrace/internal/localaws/apigateway"
	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/esm"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
	"github.com/millrace-dev/millrace/internal/localaws/s3"
	"github.com/millrace-dev/millrace/internal/localaws/scheduler"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

func (s *Server) atClose(end func(ctx context.Context) error) { s.closers = append(s.closers, end) }

func (s *Server) start(ctx context.Context) error {
	listener, err := listen(s.options.AWSAddress)
	if err != nil {
		return err
	}
	s.awsURL = "http://" + listener.Addr().String()
	if err := errors.Join(s.openQueues(ctx), s.openTables(), s.openBuckets(), s.openFunctions()); err != nil {
		_ = listener.Close()
		return err
	}
	s.serve(listener, http.HandlerFunc(s.route)).RegisterOnShutdown(s.queues.Close) // wakes the long polls, which would hold it up
	s.atClose(s.functions.Close)
	return errors.Join(s.startMappings(), s.startSchedules(), s.openFrontDoor())
}

// openQueues starts SQS with what DataDir holds and the queues that are declared.
func (s *Server) openQueues(ctx context.Context) error {
	kept, err := s.openJournal("queues", sqs.JournalVersion, nil)
	if err != nil {
		return err
	}
	s.queues, err = sqs.Open(sqs.Options{Faults: s.options.Faults, Logger: s.options.Logger}, kept)
	if err != nil {
		return err
	}
	s.atClose(func(context.Context) error {
		s.queues.Close()
		return nil
	})
	s.services["sqs"] = s.queues
	for _, q := range s.options.Queues {
		_, err := s.queues.CreateQueue(ctx, q.Name, nil)
		if err := cmp.Or(err, s.queues.SetQueueAttributes(ctx, q.Name, q.Attributes)); err != nil {
			return fmt.Errorf("queue %s: %w", q.Name, err)
		}
	}
	return nil
}

// openTables starts DynamoDB with what DataDir holds and the tables that are declared.
func (s *Server) openTables() error {
	kept, err := s.openJournal("tables", dynamodb.JournalVersion, nil)
	if err != nil {
		return err
	}
	tables, err := dynamodb.Open(dynamodb.Options{Faults: s.options.TableFaults, Logger: s.options.Logger}, kept)
	if err != nil {
		return err
	}
	s.services["dynamodb"] = tables
	for _, t := range s.options.Tables {
		if err := tables.CreateTable(t.Name, t.Key, t.KeyType, t.TTL); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return nil
}

// openBuckets starts S3 with what DataDir holds and the buckets that are declared. Without a DataDir its disk is in memory.
func (s *Server) openBuckets() error {
	kept, err := s.openJournal("objects", s3.JournalVersion, vfs.NewMem())
	if err != nil {
		return err
	}
	objects := s3.New(kept)
	s.services["s3"] = objects
	for _, name := range s.options.Buckets {
		if err := objects.EnsureBucket(name); err != nil {
			return err
		}
	}
	return nil
}

// openJournal opens one directory of DataDir. Without a DataDir it is on the disk that is given; none means no journal.
func (s *Server) openJournal(name string, version uint64, memory vfs.FS) (*journal.Journal, error) {
	disk := s.options.FileSystem
	if s.options.DataDir == "" && memory == nil {
		return nil, nil //nolint:nilnil // no journal is a journal in memory
	}
	if s.options.DataDir == "" {
		disk = memory
	}
	dir := filepath.Join(s.options.DataDir, name)
	opened, err := journal.Open(journal.Options{Dir: dir, Version: version, FileSystem: disk, Logger: s.options.Logger})
	if err == nil {
		s.atClose(func(context.Context) error { return opened.Close() })
	}
	return opened, err
}

func (s *Server) openFunctions() (err error) {
	environment := map[string]string{"AWS_ENDPOINT_URL": s.awsURL}
	if s.options.Environment != nil {
		maps.Copy(environment, s.options.Environment(s.awsURL))
	}
	s.functions, err = lambda.NewHost(s.options.Functions, lambda.Options{Environment: environment, Logger: s.options.Logger})
	s.services["lambda"] = s.functions.Handler()
	return err
}

func (s *Server) startMappings() error {
	for _, m := range s.options.Mappings {
		source := slices.IndexFunc(s.options.Queues, func(q Queue) bool { return q.Name == m.Queue })
		if source < 0 {
			return fmt.Errorf("event source mapping: there is no queue %q", m.Queue)
		}
		seconds, _ := strconv.Atoi(s.options.Queues[source].Attributes["VisibilityTimeout"]) // none means the default, SQS has refused any other
		m.Visibility = time.Duration(seconds) * time.Second
		m.Logger = s.options.Logger
		invoke, err := s.functions.Invoker(m.Function)
		if err != nil {
			return fmt.Errorf("event source mapping of %s: %w", m.Queue, err)
		}
		mapping, err := esm.Start(s.queues, invoke, m)
		if err != nil {
			return err
		}
		s.mappings = append(s.mappings, mapping)
		s.atClose(mapping.Stop)
	}
	return nil
}

// startSchedules starts the scheduler, whose functions are invoked asynchronously. It could only log that one is not there.
func (s *Server) startSchedules() error {
	for _, schedule := range s.options.Schedules {
		if _, err := s.functions.Invoker(schedule.Function); err != nil {
			return fmt.Errorf("schedule %s: %w", schedule.Name, err)
		}
	}
	running, err := scheduler.Start(s.options.Schedules, func(ctx context.Context, function string, input []byte) error {
		_, err := s.functions.Invoke(ctx, function, input, lambda.InvokeOptions{Type: lambda.InvocationEvent})
		return err
	}, s.options.Logger)
	if err != nil {
		return err
	}
	s.atClose(running.Stop)
	return nil
}

func (s *Server) openFrontDoor() error {
	if s.options.FrontDoor == "" {
		return nil
	}
	invoke, err := s.functions.Invoker(s.options.FrontDoor)
	if err != nil {
		return fmt.Errorf("front door: %w", err)
	}
	gateway, err := apigateway.New(invoke, s.options.Gateway)
	if err != nil {
		return err
	}
	listener, err := listen(s.options.APIAddress)
	if err != nil {
		return err
	}
	s.apiURL = "http://" + listener.Addr().String() + gateway.Prefix()
	s.door = s.serve(listener, gateway)
	return nil
}
