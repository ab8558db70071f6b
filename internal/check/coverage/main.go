// Command coverage reads a coverage profile, prints the share of statements that ran per
// package and in all, and fails when that is below the minimum:
//
//	go run ./internal/check/coverage -min-percent 85 coverage/pkg.out
//
// Contract suites (packages named …test) are tests themselves and do not count.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	minPercent := flag.Float64("min-percent", 0, "least share of statements that must run")
	flag.Parse()
	if err := run(flag.Arg(0), *minPercent); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

func run(path string, minPercent float64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	counted, err := read(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var all share
	for _, p := range counted.packages() {
		fmt.Printf("%6.1f %%  %s\n", p.percent(), p.name)
		all.ran += p.ran
		all.statements += p.statements
	}
	fmt.Printf("%6.1f %%  of %d statements in all\n", all.percent(), all.statements)
	if all.percent() < minPercent {
		return fmt.Errorf("%.1f %% of the statements run in tests, at least %.1f %% must", all.percent(), minPercent)
	}
	return nil
}
