package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws"
)

// options are the command line's.
type options struct {
	// serve makes this process an embedded SQS: "memory" or a data directory.
	serve string
	// goaws is the program to start, fauxqs the URL of a running one; empty leaves them out.
	goaws, fauxqs string
	fauxqsPID     int
	// deep is how many messages wait in the deep queues.
	deep   int
	rounds int
	slice  time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench sqs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("sqs", flag.ContinueOnError)
	flags.StringVar(&o.serve, "serve", "", "be an embedded SQS: memory, or a data directory (for the processes that this starts)")
	flags.StringVar(&o.goaws, "goaws", "", "program to measure beside the embedded SQS")
	flags.StringVar(&o.fauxqs, "fauxqs", "", "URL of a running fauxqs to measure beside it")
	flags.IntVar(&o.fauxqsPID, "fauxqs-pid", 0, "its process, for its CPU and memory")
	flags.IntVar(&o.deep, "deep", 1_000_000, "messages that wait in the deep queues")
	flags.IntVar(&o.rounds, "rounds", 10, "how often each server has its turn")
	flags.DurationVar(&o.slice, "slice", 2*time.Second, "length of a turn")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	defer localaws.LeanHeap()() // as millrace dev does
	if o.serve != "" {
		return serve(ctx, o.serve, out)
	}
	return measure(ctx, o, out)
}

// measure starts everything, lets it take turns and prints the table.
func measure(ctx context.Context, o options, out io.Writer) (err error) {
	f := &fleet{log: os.Stderr}
	defer func() { err = errors.Join(err, f.stop()) }()
	if err := f.start(ctx, o); err != nil {
		return err
	}
	for _, s := range f.subjects {
		if err := s.fill(ctx); err != nil {
			return err
		}
	}
	for round := range o.rounds {
		fmt.Fprintf(f.log, "round %d of %d\n", round+1, o.rounds)
		for _, s := range f.subjects {
			if err := s.turn(ctx, o.slice); err != nil {
				return err
			}
		}
	}
	for _, s := range f.subjects {
		s.weigh()
	}
	table(out, f.subjects)
	return promises(f.subjects)
}
