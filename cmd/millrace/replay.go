package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/millrace-dev/millrace/pkg/replay"
)

type replayCommand struct {
	awsFlags
	letterFilter
	Type          string        `placeholder:"PATTERN" help:"Only events of this type, * for any text as in routes. The rest of a letter stays."`
	To            string        `placeholder:"SINK" help:"Send to this sink instead of the one that failed; 'front' sends through the routes again."`
	Rate          float64       `help:"Send at most this many events a second, on average. Default: as fast as SQS takes them."`
	Limit         int           `help:"Replay at most this many letters. Default: all."`
	MaxGeneration int           `help:"Leave letters that were replayed this often already. Default: 5."`
	Hide          time.Duration `default:"5m" help:"How long letters that were looked at stay hidden from other runs when this one needs several steps, or is killed."`
	DryRun        bool          `help:"Only count, and estimate time and cost."`
	Detach        bool          `help:"Let the function go on by itself until it is done, and do not wait for it."`
	Yes           bool          `short:"y" help:"Do not ask. Without a terminal nobody is asked either."`
	Function      string        `default:"millrace-replay" help:"Name or ARN of the replay function."`
	JSON          bool          `help:"Print the report as one JSON object."`
}

// Help shows how to use it.
func (replayCommand) Help() string {
	return `Asks the replay function to send dead letters again, each to the sink that did not take it. What does not match
stays. A letter is deleted only when its new pack is confirmed on the main queue, so replaying twice changes nothing more.
Ctrl-C ends it in good order after the step under way, a few seconds.

    millrace replay --dry-run
    millrace replay --sink warehouse --class transient
    millrace replay --since 2h --to archive --limit 100
    millrace replay --type 'payment.*' --rate 500
    millrace replay --aws aws --function prod-millrace-replay --detach`
}

// Run invokes the function until it has seen all letters, and prints the sum.
func (r *replayCommand) Run(ctx context.Context, c *console) error {
	if err := r.check(); err != nil {
		return err
	}
	config, err := r.config(ctx)
	if err != nil {
		return err
	}
	// A run may take the function's whole time, and running it twice at once would only share the work.
	client := lambda.NewFromConfig(config, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	steps := replaySteps{console: c, client: client, function: r.named(r.Function), started: time.Now()}
	if err := r.carryOut(ctx, &steps); err != nil {
		return r.hint(fmt.Errorf("replay: %w", err))
	}
	return nil
}

func (r *replayCommand) check() error {
	switch {
	case r.Limit < 0 || r.MaxGeneration < 0:
		return usageError("replay: --limit and --max-generation must not be negative")
	case !(r.Rate >= 0) || math.IsInf(r.Rate, 0):
		return usageError("replay: --rate must not be negative")
	case r.Hide < time.Second:
		return usageError("replay: --hide must be at least a second")
	case r.Detach && r.DryRun:
		return usageError("replay: --detach does not wait for what --dry-run tells")
	}
	return nil
}

func (r *replayCommand) carryOut(ctx context.Context, steps *replaySteps) error {
	request := r.request()
	if r.DryRun {
		report, err := steps.once(ctx, request)
		if err != nil {
			return err
		}
		return r.print(steps.console, report)
	}
	goOn, err := r.foresee(ctx, steps)
	if err != nil || !goOn {
		return err
	}
	if r.Detach {
		return r.detach(ctx, steps, request)
	}
	report, err := steps.all(ctx, request)
	if err != nil && report.Scanned == 0 {
		return err
	}
	if printErr := r.print(steps.console, report); err == nil {
		err = printErr
	}
	return err
}

func (r *replayCommand) detach(ctx context.Context, steps *replaySteps, request replay.Request) error {
	run, err := steps.detach(ctx, request)
	if err != nil {
		return err
	}
	if r.JSON {
		return steps.console.printJSON(struct {
			Run string `json:"run"`
		}{run})
	}
	c := steps.console
	c.print("started; the log of %s tells how run %s gets on", r.named(r.Function), run)
	return nil
}

// foresee makes a dry run for a person who watches: for the bar's end, and to ask.
func (r *replayCommand) foresee(ctx context.Context, steps *replaySteps) (goOn bool, err error) {
	c := steps.console
	asks := c.interactive && !r.Yes
	if !asks && !c.terminal {
		return true, nil
	}
	dry := r.request()
	dry.DryRun = true
	report, err := steps.once(ctx, dry)
	if err != nil {
		return false, err
	}
	steps.expected = report.Events
	if !asks {
		return true, nil
	}
	printReport(&console{out: c.err, err: c.err}, report) // it is no result
	if report.Replayed == 0 {
		return false, nil
	}
	answer := strings.ToLower(c.ask(fmt.Sprintf("Replay %s? [y/N] ", plural(report.Replayed, "letter"))))
	if goOn = answer == "y" || answer == "yes"; !goOn {
		c.say("nothing was replayed")
	}
	steps.started = time.Now() // thinking is not working
	return goOn, nil
}

func (r *replayCommand) request() replay.Request {
	return replay.Request{
		Filter: r.filter(), Type: r.Type, To: r.To, Limit: r.Limit, DryRun: r.DryRun, MaxGeneration: r.MaxGeneration, Rate: r.Rate,
		HideSeconds: int(r.Hide.Round(time.Second).Seconds()), By: whoami(),
	}
}

func (r *replayCommand) print(c *console, report replay.Report) error {
	if r.JSON {
		return c.printJSON(report)
	}
	printReport(c, report)
	return nil
}
