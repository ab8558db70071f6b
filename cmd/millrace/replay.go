package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/replay"
)

type replayCommand struct {
	awsFlags
	letterFilter
	To            string `placeholder:"SINK" help:"Send to this sink instead of the one that failed; 'front' sends through the routes again."`
	Limit         int    `help:"Replay at most this many letters. Default: all."`
	DryRun        bool   `help:"Only count."`
	MaxGeneration int    `help:"Leave letters that were replayed this often already. Default: 5."`
	Function      string `default:"millrace-replay" help:"Name or ARN of the replay function."`
	JSON          bool   `help:"Print the report as one JSON object."`
}

// Help shows how to use it.
func (replayCommand) Help() string {
	return `Asks the replay function to send dead letters again, each to the sink that did not take it. What does not match
stays. A letter is deleted only when its new pack is confirmed on the main queue, so replaying twice changes nothing more.

    millrace replay --dry-run
    millrace replay --sink warehouse --class transient
    millrace replay --since 2h --to archive --limit 100
    millrace replay --aws aws --function prod-millrace-replay`
}

// Run invokes the function until it has seen all letters, and prints the sum.
func (r *replayCommand) Run(ctx context.Context, c *console) error {
	if r.Limit < 0 || r.MaxGeneration < 0 {
		return usageError("replay: --limit and --max-generation must not be negative")
	}
	config, err := r.config(ctx)
	if err != nil {
		return err
	}
	// A run may take the function's whole time, and running it twice at once would only share the work.
	client := lambda.NewFromConfig(config, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	report, err := r.runAll(ctx, client)
	if err != nil {
		return r.hint(fmt.Errorf("replay: %w", err))
	}
	if r.JSON {
		return c.printJSON(report)
	}
	printReport(c, report)
	return nil
}

// invoker is the Lambda API; *lambda.Client is one.
type invoker interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, options ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// runAll goes on while the function says that there is more than it had time for.
func (r *replayCommand) runAll(ctx context.Context, client invoker) (replay.Report, error) {
	report, err := r.once(ctx, client)
	for err == nil && report.More && r.Limit == 0 && !r.DryRun {
		var later replay.Report
		if later, err = r.once(ctx, client); err == nil {
			report.Merge(later)
		}
	}
	return report, err
}

func (r *replayCommand) once(ctx context.Context, client invoker) (replay.Report, error) {
	payload, err := json.Marshal(r.request())
	if err != nil {
		return replay.Report{}, fmt.Errorf("encode request: %w", err)
	}
	out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &r.Function, Payload: payload})
	if err != nil {
		return replay.Report{}, fmt.Errorf("invoke %s: %w", r.Function, err)
	}
	if out.FunctionError != nil {
		return replay.Report{}, functionError(r.Function, aws.ToString(out.FunctionError), out.Payload)
	}
	var report replay.Report
	if err := json.Unmarshal(out.Payload, &report); err != nil {
		return replay.Report{}, fmt.Errorf("read the report of %s: %w", r.Function, err)
	}
	return report, nil
}

func (r *replayCommand) request() replay.Request {
	return replay.Request{
		Filter: r.filter(), To: r.To, Limit: r.Limit, DryRun: r.DryRun, MaxGeneration: r.MaxGeneration,
	}
}

// functionError reads Lambda's error object.
func functionError(function, kind string, payload []byte) error {
	var body struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}
	if err := json.Unmarshal(payload, &body); err != nil || body.Message == "" {
		return fmt.Errorf("%s: %s: %s", function, kind, payload)
	}
	return fmt.Errorf("%s: %s: %s", function, body.Type, body.Message)
}

func printReport(c *console, report replay.Report) {
	verb := "replayed"
	if report.DryRun {
		verb = "would replay"
	}
	c.print("%s %d of %d letters, %d events", verb, report.Replayed, report.Scanned, report.Events)
	if len(report.Counts) > 0 {
		table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
		_, _ = fmt.Fprintln(table, "\nSINK\tCLASS\tKIND\tLETTERS\tEVENTS")
		for _, n := range report.Counts {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\n", n.Sink, n.Class, n.Kind, n.Letters, n.Events)
		}
		_ = table.Flush() // what fails is the console, which nobody could be told of
	}
	for _, why := range slices.Sorted(maps.Keys(report.Left)) {
		c.print("%d stay: %s", report.Left[why], why)
	}
	if report.More {
		c.print("there may be more: run it again")
	}
}
