package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/millrace-dev/millrace/internal/audit"
	"github.com/millrace-dev/millrace/internal/demosink"
	"github.com/millrace-dev/millrace/pkg/config"
)

// output is where one sink tells what it has.
type output struct {
	name string
	// files are read one after the other; "-" is standard input.
	files []string
	stdin io.Reader
	// mayBeMissing says that a file that does not exist holds nothing yet.
	mayBeMissing bool
	// counts is where a demo sink answers.
	counts string
	// silent says why the sink tells nothing.
	silent string
}

// outputs returns one for every sink, by name. What the flags say comes before what the sinks tell.
func (a *auditCommand) outputs(s *setup, stdin io.Reader) ([]output, error) {
	said, stdinIsTaken := make(map[string][]string), false
	for _, flag := range a.Sink {
		name, file, err := nameAndFile(flag)
		if err != nil {
			return nil, err
		}
		if _, known := s.Sinks[name]; !known {
			return nil, usageError("audit: --sink %s: there is no such sink, but %v", name, slices.Sorted(maps.Keys(s.Sinks)))
		}
		if file == "-" && stdinIsTaken {
			return nil, usageError("audit: --sink %s: standard input is read once, and another --sink has it", flag)
		}
		stdinIsTaken = stdinIsTaken || file == "-"
		said[name] = append(said[name], file)
	}
	outputs := make([]output, 0, len(s.Sinks))
	for _, name := range slices.Sorted(maps.Keys(s.Sinks)) {
		o := outputOf(name, s.Sinks[name])
		if files := said[name]; len(files) > 0 {
			o = output{name: name, files: files, stdin: stdin}
		}
		outputs = append(outputs, o)
	}
	return outputs, nil
}

// outputOf is where a sink tells by itself what it has.
func outputOf(name string, s sinkSetup) output {
	switch {
	case s.Type == config.SinkFile:
		return output{name: name, files: []string{s.File}, mayBeMissing: true}
	case s.Counts != "":
		return output{name: name, counts: s.Counts}
	}
	return output{name: name, silent: fmt.Sprintf("a sink of type %s tells no ids; say them with --sink %s=FILE", s.Type, name)}
}

// silentError says why a sink could not be compared.
type silentError string

func (e silentError) Error() string { return string(e) }

// notCompared returns why a sink could not be compared, empty when it was or when it failed otherwise.
func notCompared(err error) string {
	silent, _ := errors.AsType[silentError](err)
	return string(silent)
}

// compare compares one sink, of which the name and what it wants are given.
func (o *output) compare(
	ctx context.Context, journal *audit.Journal, where *audit.Whereabouts, sink audit.Sink, name func(*audit.Finding),
) (audit.Counts, error) {
	if o.silent != "" {
		return audit.Counts{}, silentError(o.silent)
	}
	body, err := o.open(ctx)
	if err != nil {
		return audit.Counts{}, err
	}
	defer func() { _ = body.Close() }()
	if o.counts != "" {
		sink.By, sink.Delivered = audit.ByID, audit.ReadCounts(body)
	} else {
		by, rest := audit.Identify(body)
		sink.By, sink.Delivered = by, audit.ReadDelivered(rest)
	}
	counts, err := audit.Compare(journal, where, &sink, name)
	if errors.Is(err, audit.ErrNoCounts) {
		return audit.Counts{}, o.noDemoSink()
	}
	return counts, err //nolint:wrapcheck // names the sink
}

func (o *output) noDemoSink() error {
	return silentError(fmt.Sprintf("%s tells no ids as the demo sink does; say them with --sink %s=FILE", o.counts, o.name))
}

// open opens what the sink tells.
func (o *output) open(ctx context.Context) (io.ReadCloser, error) {
	if o.counts == "" {
		return o.openFiles()
	}
	body, err := openPage(ctx, o.counts, demosink.ControlPath+"?ids=1")
	if err != nil {
		return nil, o.noDemoSink()
	}
	return body, nil
}

// files are some files read as one.
type files struct {
	io.Reader

	open []*os.File
}

// Close closes all.
func (f *files) Close() error {
	var errs []error
	for _, file := range f.open {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

func (o *output) openFiles() (io.ReadCloser, error) {
	all := &files{}
	var readers []io.Reader
	for _, path := range o.files {
		if path == "-" {
			readers = append(readers, o.stdin)
			continue
		}
		file, err := os.Open(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && o.mayBeMissing:
			continue
		case err != nil:
			return nil, errors.Join(usageError("audit --sink %s: %w", o.name, err), all.Close())
		}
		all.open = append(all.open, file)
		readers = append(readers, file, newline()) // the last line of a file may be torn
	}
	all.Reader = io.MultiReader(readers...)
	return all, nil
}
