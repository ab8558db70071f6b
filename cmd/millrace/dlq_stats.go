package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

type dlqStatsCommand struct {
	dlqFlags
	letterFilter
	JSON bool `help:"Print one JSON object."`
}

// Help shows how to use it.
func (dlqStatsCommand) Help() string {
	return `Looks through all dead letters and counts them. Nothing is removed.

    millrace dlq stats
    millrace dlq stats --since 24h --json`
}

// letterGroup is what letters are counted by.
type letterGroup struct {
	Sink  string `json:"sink"`
	Class string `json:"class"`
	Kind  string `json:"kind"`
}

// letterCount is one line of the counts.
type letterCount struct {
	letterGroup
	Letters int `json:"letters"`
	Events  int `json:"events"`
}

// Run counts the letters.
func (d *dlqStatsCommand) Run(ctx context.Context, c *console) error {
	source, err := d.open(ctx)
	if err != nil {
		return d.hint(err)
	}
	counts := make(map[letterGroup]letterCount)
	var total letterCount
	err = look(ctx, source, d.filter(), func(l letter) bool {
		line := lineOf(&l)
		group := letterGroup{Sink: line.Sink, Class: line.Class, Kind: strings.Join(line.Kinds, ",")}
		count := counts[group]
		counts[group] = letterCount{letterGroup: group, Letters: count.Letters + 1, Events: count.Events + line.Events}
		total.Letters++
		total.Events += line.Events
		return true
	})
	if err != nil {
		return d.hint(err)
	}
	return d.print(c, sortedCounts(counts), total)
}

func sortedCounts(counts map[letterGroup]letterCount) []letterCount {
	list := make([]letterCount, 0, len(counts))
	for _, count := range counts {
		list = append(list, count)
	}
	slices.SortFunc(list, func(a, b letterCount) int {
		return cmp.Or(cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}

func (d *dlqStatsCommand) print(c *console, counts []letterCount, total letterCount) error {
	if d.JSON {
		return c.printJSON(struct {
			Letters int           `json:"letters"`
			Events  int           `json:"events"`
			Counts  []letterCount `json:"counts"`
		}{total.Letters, total.Events, counts})
	}
	c.print("%d letters, %d events", total.Letters, total.Events)
	if len(counts) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
	_, _ = fmt.Fprintln(table, "\nSINK\tCLASS\tKIND\tLETTERS\tEVENTS")
	for _, n := range counts {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\n", n.Sink, n.Class, n.Kind, n.Letters, n.Events)
	}
	_ = table.Flush() // what fails is the console, which nobody could be told of
	return nil
}
