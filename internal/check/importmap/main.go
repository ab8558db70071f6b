// Command importmap draws the imports between our packages, as CONTRIBUTING.md shows
// them:
//
//	go run ./internal/check/importmap          print the map
//	go run ./internal/check/importmap -write   rewrite it in CONTRIBUTING.md
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/millrace-dev/millrace/internal/check/repo"
)

const document = "CONTRIBUTING.md"

func main() {
	write := flag.Bool("write", false, "rewrite the map in "+document)
	flag.Parse()
	if err := run(context.Background(), *write); err != nil {
		fmt.Fprintln(os.Stderr, "importmap:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, write bool) error {
	root, err := repo.Root(ctx)
	if err != nil {
		return err
	}
	g, err := load(ctx, root)
	if err != nil {
		return err
	}
	if !write {
		fmt.Print(g.String())
		return nil
	}
	path := filepath.Join(root, document)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, err := replaceBlock(string(text), g.String())
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(path, []byte(changed), 0o600)
}
