package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/alecthomas/kong"
)

// commands is the grammar of the command line.
type commands struct {
	Dev     devCommand     `cmd:"" help:"Run everything on this machine: API, queues and functions."`
	Send    sendCommand    `cmd:"" help:"Send events, samples or your own."`
	Sink    sinkCommand    `cmd:"" help:"Run a receiver that shows what arrives and fails on demand."`
	Status  statusCommand  `cmd:"" help:"Show queue depths, dead letters and whether the books balance."`
	Audit   auditCommand   `cmd:"" help:"Compare what was accepted with what the sinks have, event by event."`
	Logs    logsCommand    `cmd:"" help:"Print what a function of 'millrace dev' has written."`
	DLQ     dlqCommands    `cmd:"" name:"dlq" help:"Look at the dead letters, write them away, remove them."`
	Replay  replayCommand  `cmd:"" help:"Send dead letters again."`
	Keys    keysCommands   `cmd:"" help:"Make and hash write keys."`
	Config  configCommands `cmd:"" help:"Check and print the configuration."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

const about = `Millrace takes events from SDKs, keeps them in SQS and delivers them in batches to your sinks.

Start with:

    millrace dev --config examples/quickstart/millrace.yaml --demo

Exit codes: 0 done, 1 it failed, 2 the command line or the configuration is wrong, 3 nothing answers at the address.`

// helpWidth keeps help readable on wide terminals.
const helpWidth = 110

// run carries out one command line and returns the exit code.
func run(ctx context.Context, args []string, c *console) int {
	helped := false
	parser, err := newParser(c, func(int) { helped = true })
	if err != nil {
		return c.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return exitDone
	case err != nil:
		return c.fail(usageError("%w\nSee: millrace %s--help", err, commandPath(err)))
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return c.fail(command.Run(c))
}

// newParser builds the parser. Kong calls exit after it has printed help; it must not end the process in tests.
func newParser(c *console, exit func(int)) (*kong.Kong, error) {
	parser, err := kong.New(&commands{},
		kong.Name("millrace"), kong.Description(about), kong.Exit(exit), kong.Writers(c.out, c.err),
		kong.Vars{"api": defaultAPI, "aws": defaultAWS, "samples": strconv.Itoa(defaultSamples)},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: helpWidth}))
	if err != nil {
		return nil, fmt.Errorf("command line grammar: %w", err)
	}
	return parser, nil
}

// commandPath names the command that was recognised before parsing stopped: "dlq ls ".
func commandPath(err error) string {
	var stopped *kong.ParseError
	if !errors.As(err, &stopped) || stopped.Context.Selected() == nil {
		return ""
	}
	return stopped.Context.Selected().Path() + " "
}
