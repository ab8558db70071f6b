// Command fuzztargets prints one line "package target" for every fuzz test of the
// module, for `make fuzz` to run one after another.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/millrace-dev/millrace/internal/check/repo"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "fuzztargets:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, err := repo.Root(ctx)
	if err != nil {
		return err
	}
	targets, err := find(root)
	if err != nil {
		return err
	}
	for _, t := range targets {
		fmt.Printf("./%s %s\n", t.dir, t.name)
	}
	return nil
}
