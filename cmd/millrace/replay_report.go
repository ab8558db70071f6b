package main

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/millrace-dev/millrace/pkg/replay"
)

func printReport(c *console, report replay.Report) {
	verb := "replayed"
	if report.DryRun {
		verb = "would replay"
	}
	c.print("%s %d of %d letters, %d events, %s", verb, report.Replayed, report.Scanned, report.Events, inBytes(report.Bytes))
	if report.Split > 0 {
		c.print("%s cut in two: the rest stays", plural(report.Split, "letter"))
	}
	printCounts(c, report.Counts)
	for _, why := range slices.Sorted(maps.Keys(report.Left)) {
		c.print("%d stay: %s", report.Left[why], why)
	}
	if e := report.Estimate; e != nil {
		c.print("takes about %s and $%.6f of SQS calls", approximately(e.Seconds), e.USD)
	}
	if report.More {
		c.print("there may be more: run it again")
	}
}

func printCounts(c *console, counts []replay.Count) {
	if len(counts) == 0 {
		return
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
	_, _ = fmt.Fprintln(table, "\nSINK\tCLASS\tKIND\tLETTERS\tEVENTS")
	for _, n := range counts {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\n", n.Sink, n.Class, n.Kind, n.Letters, n.Events)
	}
	_ = table.Flush() // what fails is the console, which nobody could be told of
}

// approximately tells a time in whole seconds, those below one as such.
func approximately(seconds float64) string {
	if seconds < 1 {
		return "a second"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// inBytes tells a size with at most one decimal.
func inBytes(n int) string {
	const step = 1024
	if n < step {
		return plural(n, "byte")
	}
	size, units := float64(n)/step, []string{"KiB", "MiB", "GiB", "TiB"}
	for size >= step && len(units) > 1 {
		size, units = size/step, units[1:]
	}
	return fmt.Sprintf("%.1f %s", size, units[0])
}
