package filesink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/record"
)

// Limits of a batch when Options do not say.
const (
	DefaultMaxEvents = 500
	DefaultMaxBytes  = 1 << 20
)

const (
	fileMode      = 0o644 // a file of events is for its owner to write and for tools to read
	directoryMode = 0o755
)

// Durability says when a batch counts as written.
type Durability uint8

const (
	// Synced batches have reached the disk: they survive a power failure.
	Synced Durability = iota
	// Buffered batches have reached the operating system: they survive a crash of the
	// process, and are cheaper by what the disk takes to sync.
	Buffered
)

// Options configure a File. Path is required.
type Options struct {
	// Name of the sink in the configuration; errors of NewFile begin with it.
	Name string
	// Path of the file. It and its directories are made when the first batch comes.
	Path string
	// Durability of a batch that is reported delivered. Default Synced.
	Durability Durability
	// MaxEvents in one write. Default DefaultMaxEvents.
	MaxEvents int
	// MaxBytes of one write. Default DefaultMaxBytes.
	MaxBytes int
}

// File is the `file` sink. It is safe for concurrent use, also by several processes.
type File struct {
	path       string
	durability Durability
	limits     batch.Limits
	buffers    sync.Pool
	// turn is held by the goroutine that writes. The file's lock alone would do, but
	// waiting for it means polling.
	turn chan struct{}
}

var _ sink.Sink = (*File)(nil)

// NewFile checks the options and returns a File. It does not touch the disk: what is
// wrong there may be right again when a batch comes, and must not stop other sinks.
func NewFile(options Options) (*File, error) {
	var errs []error
	if options.Path == "" {
		errs = append(errs, errors.New("path: is required"))
	}
	if options.Durability > Buffered {
		errs = append(errs, fmt.Errorf("durability: unknown %d", options.Durability))
	}
	limits, err := limitsOf(options.MaxEvents, options.MaxBytes)
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("sink %q: %w", options.Name, err)
	}
	return &File{path: options.Path, durability: options.Durability, limits: limits, turn: make(chan struct{}, 1)}, nil
}

func limitsOf(maxEvents, maxBytes int) (batch.Limits, error) {
	var errs []error
	if maxEvents < 0 {
		errs = append(errs, fmt.Errorf("max_events: %d is negative", maxEvents))
	}
	if maxBytes < 0 {
		errs = append(errs, fmt.Errorf("max_bytes: %d is negative", maxBytes))
	}
	limits := batch.Limits{MaxEvents: maxEvents, MaxBytes: maxBytes, Size: record.Size}
	if maxEvents == 0 {
		limits.MaxEvents = DefaultMaxEvents
	}
	if maxBytes == 0 {
		limits.MaxBytes = DefaultMaxBytes
	}
	return limits, errors.Join(errs...)
}

// Limits are those of the options. An event's size is that of its record.
func (s *File) Limits() batch.Limits { return s.limits }

// Send appends the batch to the file. An error is a *sink.Failure for every event.
func (s *File) Send(ctx context.Context, b sink.Batch) (sink.Result, error) {
	lines := s.encode(&b)
	defer s.buffers.Put(lines)
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return sink.Result{}, failure(err)
	}
	if err := s.append(ctx, *lines); err != nil {
		return sink.Result{}, failure(err)
	}
	return sink.Result{}, nil
}

func (s *File) encode(b *sink.Batch) *[]byte {
	lines, ok := s.buffers.Get().(*[]byte)
	if !ok {
		lines = new([]byte)
	}
	*lines = record.AppendLines((*lines)[:0], b.Events)
	return lines
}

// append opens, locks, writes, syncs and closes.
func (s *File) append(ctx context.Context, lines []byte) error {
	file, err := s.open()
	if err != nil {
		return err
	}
	defer file.Close() // lets go of the lock; what matters was synced
	if err := lock(ctx, file); err != nil {
		return err
	}
	if err := writeLines(file, lines); err != nil {
		return err
	}
	if s.durability == Buffered {
		return nil
	}
	return file.Sync()
}

// open makes the file only when it is missing, so that a new one can be made durable: a
// synced file in a directory that forgot its name is lost all the same.
func (s *File) open() (*os.File, error) {
	file, err := os.OpenFile(s.path, os.O_RDWR|os.O_APPEND, fileMode)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	directory := filepath.Dir(s.path)
	if err := os.MkdirAll(directory, directoryMode); err != nil {
		return nil, err
	}
	file, err = os.OpenFile(s.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, fileMode)
	if err == nil && s.durability == Synced {
		err = syncDirectory(directory)
	}
	if err != nil && file != nil {
		file.Close()
		file = nil
	}
	return file, err
}

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	return directory.Sync()
}
